"""Lays out the page of a scene. Knows which module draws which page, and nothing of their looks.

Invariant: the same scene, view, language and mode give an equal page.
"""

from screens.sheet import Sheet


def build(scene, view, language, mode, fonts, pictures, before=None):
    """The Page of `scene`.

    scene: {"page": "rest", "ask", "text", "phone", "thanks", "out", "full", "wait" or "start", …}; absent is None:
    question (index in the view), step and steps (from 1), chosen (option, mask of several, -1 can't say), text, caps,
    layer, back, leave, left (seconds until the visit ends), kinds, qr (address), qr_rows, said (a note, at rest).
    view: a question set as a touchscreen has it, None where there is none. language: place in the view's languages.
    mode: of "contrast", "large", "low". fonts: {"s", "m", "l"}; pictures: {"face84", "face60", "icons"}.
    before: the Page shown now, of the same fonts and pictures: what stays as it is, is taken over from it.
    """
    sheet = Sheet(scene, view, language, mode, fonts, pictures, before)
    page = scene["page"]
    # Modules are loaded when their page is first shown.
    if page == "rest" or page == "ask":
        if sheet.question()["type"] == "nps":
            from screens.page_scale import build as lay
        else:
            from screens.page_ask import build as lay
    elif page == "text":
        from screens.page_text import build as lay
    elif page == "phone":
        from screens.page_phone import build as lay
    elif page == "thanks":
        from screens.page_thanks import build as lay
    else:
        from screens.page_state import build as lay
    lay(sheet)
    if scene.get("said") is not None:
        from screens.page_said import lay as lay_over

        lay_over(sheet, scene["said"])
    return sheet.page()
