"""The lifecycle node: what each transition does, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from traceback import format_exception
from typing import TYPE_CHECKING

from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from std_srvs.srv import Trigger

from robself.errors import RobSelfError
from robself_ros import dds
from robself_ros.declaration import Declaration
from robself_ros.diagnostics import Diagnostics
from robself_ros.launching import NODE_NAME
from robself_ros.outputs import Outputs, published_topics
from robself_ros.qos_overrides import check_overrides
from robself_ros.transport import all_topics

if TYPE_CHECKING:
    from robself_ros.activity import Activity
    from robself_ros.parameters import NodeParameters

DEACTIVATION_SECONDS = 10.0  # for the iteration that is under way


def _transition(
    callback: Callable[[RobSelfNode, LifecycleState], TransitionCallbackReturn],
) -> Callable[[RobSelfNode, LifecycleState], TransitionCallbackReturn]:
    """Say what went wrong: rclpy passes over exceptions of transitions in silence."""

    @wraps(callback)
    def said(node: RobSelfNode, state: LifecycleState) -> TransitionCallbackReturn:
        try:
            return callback(node, state)
        except RobSelfError as error:  # nothing has been set up, so the node stays in its state
            node.get_logger().error(str(error))
            return TransitionCallbackReturn.FAILURE
        except Exception as error:
            if node.context.ok():  # else ROS was shut down meanwhile
                node.get_logger().error("".join(format_exception(error)).rstrip())
            return TransitionCallbackReturn.ERROR

    return said


class RobSelfNode(LifecycleNode):
    """Super-resolves pairs of images while it is active.

    configure: parameters and publishers. activate: resolver and subscriptions. deactivate frees the model,
    cleanup the publishers.

    Raises:
        ConfigError: a wrong parameter.
    """

    def __init__(self, **arguments) -> None:
        super().__init__(NODE_NAME, automatically_declare_parameters_from_overrides=True, **arguments)
        self._outputs: Outputs | None = None
        self._activity: Activity | None = None
        self._diagnostics: Diagnostics | None = None
        if warning := dds.warning():
            self.get_logger().warning(warning)
        check_overrides(self, all_topics(self), published_topics(self))
        self._declaration = Declaration(self, lambda: self._activity is None, self._tune)
        self.create_service(Trigger, "~/reset", self._reset)
        self.create_service(Trigger, "~/save_extrinsics", self._save_extrinsics)

    @property
    def autostart(self) -> bool:
        """Whether to configure and activate without being asked."""
        return self._declaration.read().autostart

    def start(self) -> TransitionCallbackReturn:
        """Configure and activate, as far as it goes."""
        configured = self.trigger_configure()
        return self.trigger_activate() if configured == TransitionCallbackReturn.SUCCESS else configured

    @_transition
    def _tune(self, parameters: NodeParameters) -> None:
        if self._activity is not None:
            self._activity.tune(parameters)

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Check the parameters, make the publishers."""
        self._declaration.read()
        self._outputs = Outputs(self, self._on_incompatible)
        self._diagnostics = Diagnostics(self)
        return super().on_configure(state)

    @_transition
    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Make the resolver of the parameters as they are now, subscribe."""
        # Not before: torch takes seconds to import, and wrong parameters should be told at once.
        from robself_ros.activity import Activity

        self._activity = Activity(self, self._declaration.read(), self._outputs, self._on_incompatible)
        self._diagnostics.watch(self._activity)
        self.get_logger().info(f"computing on {self._activity.processing.device_name}")
        return super().on_activate(state)

    @_transition
    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Unsubscribe, free the model."""
        self._stop(DEACTIVATION_SECONDS)
        return super().on_deactivate(state)

    @_transition
    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Take the publishers down."""
        self._clean()
        return super().on_cleanup(state)

    @_transition
    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Take everything down."""
        self._stop(DEACTIVATION_SECONDS)
        self._clean()
        return super().on_shutdown(state)

    @_transition
    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Take everything down, to be configured anew."""
        self._stop(DEACTIVATION_SECONDS)
        self._clean()
        return super().on_error(state)

    def destroy_node(self) -> None:
        """Take everything down at once; an iteration that is under way is not waited for."""
        if self._activity is not None:
            self._activity.stop(0.0)
            self._activity = None
        super().destroy_node()
        # rclpy forgets this one, and with it the DDS participant: its shared memory would stay behind.
        self._state_machine = None

    def _stop(self, timeout_seconds: float) -> None:
        if self._activity is None:
            return
        activity, self._activity = self._activity, None
        self._diagnostics.watch(None)
        if not activity.stop(timeout_seconds):
            self.get_logger().warning("the model is freed as soon as its iteration ends")

    def _clean(self) -> None:
        for one in (self._diagnostics, self._outputs):
            if one is not None:
                one.destroy()
        self._diagnostics = self._outputs = None

    def _reset(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        if self._activity is None:
            response.success, response.message = False, "the node is not active"
            return response
        self._activity.reset("~/reset was called")
        response.success, response.message = True, "the next keyframe is cold"
        return response

    def _save_extrinsics(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        if self._activity is None:
            response.success, response.message = False, "the node is not active"
            return response
        try:
            response.success, response.message = True, self._activity.save_extrinsics()
        except RobSelfError as error:
            response.success, response.message = False, str(error)
        return response

    def _on_incompatible(self, topic: str, policy: str) -> None:
        self.get_logger().warning(f"{topic}: a peer's QoS does not fit ({policy}): nothing passes between us")
