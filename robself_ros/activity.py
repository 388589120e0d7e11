"""What the node has while it is active: subscriptions, pairing, the worker and its model."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from traceback import format_exception

from rclpy.clock import JumpThreshold, TimeJump
from rclpy.duration import Duration
from rclpy.lifecycle import LifecycleNode
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CameraInfo, Image

from robself.calibration_health import save_extrinsics
from robself.device import choose_device
from robself.errors import ConfigError, InputError, MemoryExhausted, RobSelfError
from robself.geometry import is_rectified
from robself.pairing import NANOSECONDS
from robself_ros import dds
from robself_ros.cameras import Cameras, Role
from robself_ros.conversions import Rejected, guide_encodings, source_encodings
from robself_ros.events import OnIncompatible, subscription_events
from robself_ros.inputs import Inputs
from robself_ros.outputs import Outputs
from robself_ros.pairers import make_pairer
from robself_ros.parameters import NodeParameters
from robself_ros.processing import Job, Processing, Product
from robself_ros.qos_overrides import overridable
from robself_ros.rate_limit import RateLimit
from robself_ros.static_transforms import static_transforms
from robself_ros.status import latency_seconds, status_message
from robself_ros.synchronizer import Synchronizer
from robself_ros.tally import Tally
from robself_ros.transport import image_topic, image_type, taking_images
from robself_ros.worker import Worker

# A clock that leaps ahead by this much skips to another scene; between two ticks it never does.
FORWARD_JUMP = Duration(seconds=10)
BACKWARD_JUMP = Duration(nanoseconds=-1)
ROLES: tuple[Role, Role] = ("source", "guide")


class Activity:
    """Takes images from the moment it is made until it is stopped. All but the worker run in the executor.

    Raises:
        ConfigError: a device this machine has not.
    """

    def __init__(
        self,
        node: LifecycleNode,
        parameters: NodeParameters,
        outputs: Outputs,
        on_incompatible: OnIncompatible,
    ) -> None:
        choose_device(parameters.device)  # one that is not there is told first, and alone
        self._node, self.parameters, self.outputs = node, parameters, outputs
        self._log, self._rate = node.get_logger(), RateLimit()
        self.tally = Tally()
        rectified = {role: is_rectified(node.resolve_topic_name(f"{role}/image")) for role in ROLES}
        needs_transforms = parameters.register_guide and parameters.extrinsics.use_tf
        self._transforms = static_transforms(node) if needs_transforms else None
        self.cameras = Cameras(rectified, self._log.warning, self._transforms and self._transforms.frames)
        self._renew_processing()
        self.worker: Worker[Job, Product] = Worker(
            lambda job, should_stop: self.processing(job, should_stop),
            self._deliver,
            lambda: self.processing.reset(),
            self._report,
            self.tally,
            lambda: self.processing.stream(),
            lambda: self.processing.next_seconds(),
            self._renew_processing,
            lambda: self.processing.free(),
            lambda job: job.sizes,
        )
        self.synchronizer = Synchronizer(
            make_pairer(parameters.sync.slop, parameters.sync.queue_size),
            parameters.sync.slop,
            source_encodings(parameters.modality),
            guide_encodings(),
            self.tally,
            self._on_pair,
            self._start_anew,
            self._on_rejected,
        )
        self.inputs = Inputs(
            node,
            partial(self._subscribe, on_incompatible),
            lambda: outputs.watched or not parameters.lazy,
        )
        outputs.on_change = self.inputs.check
        self._jump = node.get_clock().create_jump_callback(
            JumpThreshold(min_forward=FORWARD_JUMP, min_backward=BACKWARD_JUMP),
            post_callback=self._on_jump,
        )
        self.worker.start()

    def tune(self, parameters: NodeParameters) -> None:
        """Let budgets, keyframes and what is said of the calibration be others from the next pair on."""
        self.parameters = parameters
        self.processing.tune(parameters)

    def reset(self, reason: str) -> None:
        """Forget every image so far: what waits, what is being computed, and what was learned."""
        self.synchronizer.reset()
        self._start_anew(reason)

    def save_extrinsics(self) -> str:
        """Write the corrected extrinsics where `calibration.save_to` says; a line about it.

        Raises:
            ConfigError: no file is given. RobSelfError: nothing is known yet. OutputError: it cannot be written.
        """
        path, misalignment = self.parameters.calibration.save_to, self.processing.misalignment
        if not path:
            raise ConfigError("calibration.save_to: is empty, expected the file to be written")
        if misalignment is None:
            raise RobSelfError("no registered keyframe has told anything of the rig's calibration yet")
        file = Path(path).expanduser().absolute()
        save_extrinsics(file, misalignment)
        return f"{file}: extrinsics turned by {misalignment.angle:.2f} +- {misalignment.spread:.2f} degrees"

    def stop(self, timeout_seconds: float) -> bool:
        """Take nothing more, throw away what is being computed; whether the worker ended in time.

        The model is freed when the worker ends, in time or later.
        """
        self._jump.unregister()
        self.outputs.on_change = None
        self.inputs.stop()
        if self._transforms:
            self._transforms.stop()
        return self.worker.stop(timeout_seconds)

    def _renew_processing(self) -> None:
        """A model of its own for a worker that has none yet, or leaves it to a thread that hangs."""
        self.processing = Processing(
            self.parameters,
            self.cameras,
            self._log.info,
            self._log.warning,
            self._note_reset,
            lambda: self.outputs.watches("translated"),
        )

    def _subscribe(self, on_incompatible: OnIncompatible) -> list:
        def subscription(kind: type, topic: str, callback: Callable, on_lost: Callable[[int], None]):
            resolved = self._node.resolve_topic_name(topic)
            return self._node.create_subscription(
                kind,
                topic,
                callback,
                **overridable(qos_profile_sensor_data),
                event_callbacks=subscription_events(resolved, on_incompatible, on_lost),
            )

        def ignore(lost: int) -> None:
            """The next camera_info says the same."""

        self.synchronizer.begin()
        takers = {"source": self.synchronizer.source, "guide": self.synchronizer.guide}
        infos = [
            subscription(CameraInfo, f"{role}/camera_info", partial(self.cameras.take, role), ignore)
            for role in ROLES
        ]
        images = [
            subscription(
                image_type(role, self.parameters),
                image_topic(self._node, role, self.parameters),
                taking_images(takers[role]),
                partial(self._on_lost, role),
            )
            for role in ROLES
        ]
        return [*infos, *images]

    def _image_topic(self, role: Role) -> str:
        return self._node.resolve_topic_name(image_topic(self._node, role, self.parameters))

    def _on_pair(self, source: Image, guide: Image) -> bool:
        if not self.outputs.watched:
            self.tally.add("unwatched")
            return False
        self.worker.submit(Job(source, guide))
        return True

    def _deliver(self, product: Product) -> None:
        latency = latency_seconds(product, self._node.get_clock().now().nanoseconds)
        if failure := product.result.info.get("failure"):
            self.tally.exhaust(failure)
            self._report("a pair was only enlarged", MemoryExhausted(failure))
        self.tally.done(product.result.info["fallback"], product.seconds, latency)
        status = status_message(product, self.parameters, self.synchronizer, self.tally, latency)
        self.outputs.publish(product, self.parameters.modality, status)

    def _on_jump(self, jump: TimeJump) -> None:
        if not any(one.received for one in self.synchronizer.inputs):
            return  # a simulated clock that starts
        seconds = jump.delta.nanoseconds / NANOSECONDS
        self.reset(f"the clock jumped by {seconds:+.3f} s")

    def _start_anew(self, reason: str) -> None:
        self.worker.discard()
        self._note_reset(reason)

    def _note_reset(self, reason: str) -> None:
        self.tally.reset(reason)
        if self._rate.allows(reason.partition(" by ")[0]):
            self._log.info(f"starting anew: {reason}")

    def _on_lost(self, role: Role, lost: int) -> None:
        self.tally.add("lost", lost)
        if self._rate.allows((role, "lost")):
            self._log.warning(
                f"{lost} images on {self._image_topic(role)} were lost on their way: {dds.REMEDY}"
            )

    def _on_rejected(self, role: Role, rejected: Rejected) -> None:
        if self._rate.allows((role, rejected.cause)):
            self._log.warning(f"an image on {self._image_topic(role)} was left out: {rejected}")

    def _report(self, message: str, error: BaseException) -> None:
        if not self._rate.allows((type(error), str(error))):
            return
        if isinstance(error, InputError):
            self._log.warning(f"{message}: {error}")
        elif isinstance(error, MemoryExhausted):
            self._log.error(f"{message}: {error}")
        else:
            self._log.error(f"{message}: {''.join(format_exception(error)).rstrip()}")
