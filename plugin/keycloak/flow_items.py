"""A flow of the realm: built as flows.py draws it, configured, and bound.

A flow that differs is emptied and built again. While that lasts it lets nobody in, which is the safe side.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from plugin.keycloak.findings import Finding

if TYPE_CHECKING:
    from plugin.keycloak.admin import RealmAdmin
    from plugin.keycloak.flows import Flow, Step


class FlowItem:
    """The executions of a flow and their configuration."""

    def __init__(self, admin: RealmAdmin, flow: Flow) -> None:
        self.name = f"flow {flow.alias!r}"
        self._admin = admin
        self._flow = flow

    def look(self) -> Finding:
        """Compare what is there with what is drawn."""
        if self._stored() is None:
            return self._wrong("is not there")
        executions = self._executions()
        if [_seen(one) for one in executions] != [_wanted(level, step) for level, step in self._flow.lines()]:
            return self._wrong("has other steps")
        for execution, (_, step) in zip(executions, self._flow.lines(), strict=True):
            config = self._config(execution)
            if wrong := [key for key, value in step.config.items() if not _same(key, config.get(key), value)]:
                return self._wrong(f"{execution['displayName']}: {', '.join(wrong)}")
        return Finding(self.name, right=True, seen="as it should be")

    def mend(self) -> None:
        """Build the flow where it differs."""
        alias = self._flow.alias
        if self._stored() is None:
            body = {"alias": alias, "description": self._flow.description, "providerId": "basic-flow", "topLevel": True}
            self._admin.post("/authentication/flows", {**body, "builtIn": False})
        for execution in self._executions():
            if execution["level"] == 0:
                self._admin.delete(f"/authentication/executions/{execution['id']}")
        self._build(alias, self._flow.steps)

    def _build(self, alias: str, steps: tuple[Step, ...]) -> None:
        path = f"/authentication/flows/{quote(alias)}/executions"
        for step in steps:
            if step.provider:
                made = self._admin.post(f"{path}/execution", {"provider": step.provider})
            else:
                subflow = {"alias": step.title, "type": "basic-flow", "provider": "", "description": ""}
                flow_id = self._admin.post(f"{path}/flow", subflow)
                made = next(one["id"] for one in self._executions(alias) if one.get("flowId") == flow_id)
            execution = next(one for one in self._executions(alias) if one["id"] == made)
            self._admin.put(path, {**execution, "requirement": step.requirement})
            if step.config:
                config = {"alias": f"{self._flow.alias} {step.provider}", "config": dict(step.config)}
                self._admin.post(f"/authentication/executions/{made}/config", config)
            self._build(step.title, step.steps)

    def _stored(self) -> dict[str, Any] | None:
        flows = self._admin.get("/authentication/flows")
        return next((one for one in flows if one["alias"] == self._flow.alias), None)

    def _executions(self, alias: str = "") -> list[dict[str, Any]]:
        return list(self._admin.get(f"/authentication/flows/{quote(alias or self._flow.alias)}/executions"))

    def _config(self, execution: dict[str, Any]) -> dict[str, str]:
        config_id = execution.get("authenticationConfig")
        return dict(self._admin.get(f"/authentication/config/{config_id}").get("config", {})) if config_id else {}

    def _wrong(self, seen: str) -> Finding:
        return Finding(self.name, right=False, seen=seen, mend="run `facestep keycloak install`")


class BindingItem:
    """The flow is the one that the realm uses."""

    def __init__(self, admin: RealmAdmin, flow: Flow) -> None:
        self.name = f"realm uses {flow.alias!r}"
        self._admin = admin
        self._flow = flow

    def look(self) -> Finding:
        """Read the realm's binding."""
        bound = str(self._admin.representation().get(self._flow.binding))
        right = bound == self._flow.alias
        return Finding(
            self.name, right=right, seen=f"uses {bound!r}", mend="" if right else "run `facestep keycloak install`"
        )

    def mend(self) -> None:
        """Bind it."""
        self._admin.update({self._flow.binding: self._flow.alias})


def _same(key: str, seen: str | None, wanted: str) -> bool:
    """Compare one value. Keycloak 26.7 shows the two keys that it adds to every authenticator itself as stars."""
    return seen == wanted or (key.startswith("default.reference.") and seen == "**********")


def _seen(execution: dict[str, Any]) -> tuple[int, str, str]:
    what = execution["displayName"] if execution.get("authenticationFlow") else execution.get("providerId", "")
    return execution["level"], what, execution["requirement"]


def _wanted(level: int, step: Step) -> tuple[int, str, str]:
    return level, step.provider or step.title, step.requirement
