"""Which policy version answers new conversations, since when, and to what share."""

import uuid
from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.models.base import SHARE, Base, words
from db.models.policy_version import PolicyVersion
from db.vocabulary import DeploymentRole


class Deployment(Base, kw_only=True):
    """One span of time in which a version had a role. At most one live and one canary are active."""

    __tablename__ = "deployment"
    __table_args__ = (
        Index("uq_deployment_active", "role", unique=True, postgresql_where=text("active_to IS NULL AND role <> 'retired'")),
        Index(None, "policy_version_id"),
        Index(None, "active_from"),
        CheckConstraint("share >= 0 AND share <= 1", name="share"),
        CheckConstraint("active_to >= active_from", name="span"),
    )

    policy_version_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("policy_version.id"))
    role: Mapped[DeploymentRole] = mapped_column(words(DeploymentRole, "role"))
    share: Mapped[Decimal] = mapped_column(SHARE)
    """Of new conversations: the canary's own, and 1 for the live one, which gets what the canary leaves."""
    deployed_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("app_user.id"), default=None)
    active_from: Mapped[datetime] = mapped_column(server_default=func.now(), init=False)
    active_to: Mapped[datetime | None] = mapped_column(default=None)
    """None while it is active."""

    policy_version: Mapped[PolicyVersion] = relationship(lazy="raise", init=False)
