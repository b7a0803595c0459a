"""Breaks a text into lines that fit a width, and finds the largest font in which it fits a box. Draws nothing.

Invariant: the words and their order are kept; a line is wider than the box only when one piece of a word is, and then
`best` says that it does not fit.
"""

SOFT_HYPHEN = "\u00ad"  # where a word may be broken; is not seen otherwise


def wrap(text, font, width):
    """`text` as lines. A word is broken only at soft hyphens, and only when it is wider than a line of its own."""
    return _lay(text, font, width)[0]


def best(text, fonts, width, height):
    """(font, lines, fits): the first of `fonts`, largest first, in which `text` fits the box; else the last, unfit."""
    font, lines = None, []
    for font in fonts:
        lines, widest = _lay(text, font, width)
        if widest <= width and len(lines) * font.height <= height:
            return font, lines, True
    return font, lines, False


def _lay(text, font, width):
    """(lines, width of the widest). Letters do not depend on their neighbours, so widths add up."""
    lines = []
    space, widest = font.width(" "), 0
    for paragraph in text.split("\n"):
        line, used = "", 0
        for word in paragraph.split(" "):
            pieces = word.split(SOFT_HYPHEN)
            word = "".join(pieces)
            if not word:
                continue
            wide = font.width(word)
            if wide > width and len(pieces) > 1:
                line, used, widest = _broken(lines, line, used, widest, pieces, font, width)
            elif not line:
                line, used = word, wide
            elif used + space + wide <= width:
                line, used = line + " " + word, used + space + wide
            else:
                lines.append(line)
                widest = max(widest, used)
                line, used = word, wide
        lines.append(line)
        widest = max(widest, used)
    return lines, widest


def _broken(lines, line, used, widest, pieces, font, width):
    """Puts a word upon lines piece by piece; gives the last, open line, its width and that of the widest before it."""
    hyphen = font.width("-")
    last = len(pieces) - 1
    glue = " " if line else ""  # before the first piece only
    gap = font.width(glue)
    for number, piece in enumerate(pieces):
        wide = font.width(piece)
        if line and used + gap + wide + (hyphen if number < last else 0) > width:
            lines.append(line if glue else line + "-")
            widest = max(widest, used if glue else used + hyphen)
            line, used, gap, glue = "", 0, 0, ""
        line, used = line + glue + piece, used + gap + wide
        gap, glue = 0, ""
    return line, used, widest
