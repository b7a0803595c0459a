"""People: who may sign in, what they may do where, and what they did."""

from enum import StrEnum

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String
from sqlmodel import Field, SQLModel


class Role(StrEnum):
    """The five roles; a person holds each of them for a unit and all below it, or for the whole county."""

    TECHNICIAN = "technician"
    COORDINATOR = "coordinator"
    SUPERVISOR = "supervisor"
    OPERATOR = "operator"
    ADMIN = "admin"


class User(SQLModel, table=True):
    """A person with a local account. Without a password hash the invitation has not been used yet."""

    __tablename__ = "user_account"

    id: int | None = Field(default=None, primary_key=True)
    email: str = Field(unique=True, max_length=200)
    name: str = Field(max_length=200)
    password_hash: str | None = Field(default=None)
    language: str = Field(default="fi", max_length=2)
    created_at: int = Field(sa_type=BigInteger)
    disabled_at: int | None = Field(default=None, sa_type=BigInteger)


class Membership(SQLModel, table=True):
    """A role held at a unit and all below it; no unit means the whole county."""

    id: int | None = Field(default=None, primary_key=True)
    user_id: int = Field(
        sa_column=Column(
            Integer, ForeignKey("user_account.id", ondelete="CASCADE"), nullable=False, index=True
        )
    )
    role: str = Field(max_length=20)
    unit_id: int | None = Field(default=None, foreign_key="unit.id")


class SignIn(SQLModel, table=True):
    """A browser's session. The cookie holds a random token, this row its SHA-256: nothing to steal here."""

    token_sha256: str = Field(primary_key=True, max_length=64)
    user_id: int = Field(
        sa_column=Column(
            Integer, ForeignKey("user_account.id", ondelete="CASCADE"), nullable=False, index=True
        )
    )
    created_at: int = Field(sa_type=BigInteger)
    last_seen_at: int = Field(sa_type=BigInteger)
    expires_at: int = Field(sa_type=BigInteger)


class Invitation(SQLModel, table=True):
    """A one-time link with which a person sets the password."""

    token_sha256: str = Field(primary_key=True, max_length=64)
    user_id: int = Field(
        sa_column=Column(
            Integer, ForeignKey("user_account.id", ondelete="CASCADE"), nullable=False, index=True
        )
    )
    created_at: int = Field(sa_type=BigInteger)
    expires_at: int = Field(sa_type=BigInteger)
    used_at: int | None = Field(default=None, sa_type=BigInteger)


class ApiToken(SQLModel, table=True):
    """A token of a program: `hymio_` + random, shown once; only its SHA-256 is kept."""

    id: int | None = Field(default=None, primary_key=True)
    token_sha256: str = Field(unique=True, max_length=64)
    name: str = Field(max_length=200)
    role: str = Field(max_length=20)
    unit_id: int | None = Field(default=None, foreign_key="unit.id")
    created_at: int = Field(sa_type=BigInteger)
    expires_at: int = Field(sa_type=BigInteger)
    last_used_at: int | None = Field(default=None, sa_type=BigInteger)
    revoked_at: int | None = Field(default=None, sa_type=BigInteger)
    scope: str | None = Field(
        default=None,
        max_length=20,
        description="`station`: only for the technician's tool; null: no such limit",
    )
    user_id: int | None = Field(
        default=None,
        foreign_key="user_account.id",
        description="of a scoped token: who made it, and in whose roles it acts",
    )


class SignInAttempt(SQLModel, table=True):
    """Failed sign-ins per key (e-mail, address, or both) in a window, for the limit on guessing."""

    key: str = Field(primary_key=True, max_length=200)
    window_at: int = Field(sa_type=BigInteger)
    failures: int = Field(default=0)


class AuditEntry(SQLModel, table=True):
    """One change: who, what, before and after. Never updated, never deleted."""

    __tablename__ = "audit_entry"
    __table_args__ = (Index("ix_audit_entry_object", "object_kind", "object_id"),)

    id: int | None = Field(default=None, primary_key=True)
    at: int = Field(sa_column=Column(BigInteger, nullable=False, index=True))
    actor: str = Field(
        max_length=200, description="e-mail of the person, `token:<name>`, or `fleet` for the command line"
    )
    action: str = Field(max_length=60, description="verb and noun: `publish question set`")
    object_kind: str = Field(max_length=40)
    object_id: str = Field(max_length=80)
    before: str | None = Field(default=None, sa_column=Column(String, nullable=True), description="JSON")
    after: str | None = Field(default=None, sa_column=Column(String, nullable=True), description="JSON")


class CountySetting(SQLModel, table=True):
    """What the county has decided: `second_person` (a draft is approved by another one), `required_languages`."""

    __tablename__ = "county_setting"

    key: str = Field(primary_key=True, max_length=40)
    value: str = Field(sa_column=Column(String, nullable=False), description="JSON")
    at: int = Field(sa_type=BigInteger)
    by: str = Field(max_length=200)
