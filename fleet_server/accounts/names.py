"""What people are called: records keep the address under which somebody acted, pages show the name."""

from sqlmodel import Session, col, select

from fleet_server.accounts.models import User


def of_people(session: Session) -> dict[str, str]:
    """E-mail address → name, of everybody who has an account. A program or a command is not among them."""
    return dict(session.exec(select(col(User.email), col(User.name))).all())
