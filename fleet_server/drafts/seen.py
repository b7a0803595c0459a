"""Who has looked at exactly this content as a kiosk model draws it, or walked through its flow.

It knows content by its hash alone: one letter changed is another content, and nobody has seen it yet.
"""

from collections.abc import Iterable, Sequence

from sqlmodel import Session, col, select

from fleet_server.drafts.models import Preview


def seen(session: Session, content_hash: str, models: Iterable[str]) -> bool:
    """Whether somebody looked at all screens of this content on each of these models."""
    return not unseen(session, content_hash, models)


def unseen(session: Session, content_hash: str, models: Iterable[str]) -> list[str]:
    """The models on which nobody has looked at it yet."""
    looked = {row.model for row in previews(session, content_hash) if not row.walked}
    return [model for model in models if model not in looked]


def previews(session: Session, content_hash: str) -> Sequence[Preview]:
    """Every look and walk, oldest first."""
    query = select(Preview).where(Preview.content_hash == content_hash).order_by(col(Preview.id))
    return session.exec(query).all()


def note(session: Session, content_hash: str, model: str, by: str, *, walked: bool = False, now: int) -> None:
    """Somebody looked, or (`walked`) came to the thank-you page. Once said is enough for each person.

    A walk is no look: it goes one way through the flow, and publishing wants all screens.
    """
    same = select(Preview.id).where(
        Preview.content_hash == content_hash,
        Preview.model == model,
        Preview.walked == walked,
        Preview.by == by,
    )
    if session.exec(same).first() is None:
        session.add(Preview(content_hash=content_hash, model=model, walked=walked, at=now, by=by))
        session.flush()
