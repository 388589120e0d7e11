"""/diagnostics: what comes in, what is paired, what is dropped and why, how long it takes and on what."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleNode
from rclpy.qos import QoSProfile

from robself.pairing import NANOSECONDS, PairingCounts
from robself_ros.rate_limit import RateLimit
from robself_ros.synchronizer import Input
from robself_ros.tally import Counts
from robself_ros.transport import image_topic
from robself_ros.worker_report import worker_report

if TYPE_CHECKING:
    from robself_ros.activity import Activity

PERIOD_SECONDS = 1.0
SILENCE_SECONDS = 5.0
OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR


class Diagnostics:
    """Publishes a DiagnosticArray every second, of the steady clock: a simulated one may stand still."""

    def __init__(self, node: LifecycleNode) -> None:
        self._node = node
        self._name = node.get_fully_qualified_name().lstrip("/")
        self._rate = RateLimit()
        self._publisher = node.create_publisher(DiagnosticArray, "/diagnostics", 10)
        self._timer = node.create_timer(
            PERIOD_SECONDS, self._publish, clock=Clock(clock_type=ClockType.STEADY_TIME)
        )
        self.watch(None)

    def watch(self, activity: Activity | None) -> None:
        """Report on this from now on; None: the node is inactive."""
        self._activity = activity
        self._last_time = time.monotonic()
        self._last_received = {"source": 0, "guide": 0}
        self._last_pairing = PairingCounts()
        self._last_counts = Counts()
        self._at_last_pair, self._last_pair_time = PairingCounts(), self._last_time

    def destroy(self) -> None:
        """Stop publishing."""
        self._node.destroy_timer(self._timer)
        self._node.destroy_publisher(self._publisher)

    def _publish(self) -> None:
        if self._activity is not None:
            self._activity.worker.check()  # here, so that what it finds is told at once
        message = DiagnosticArray(status=self._reports())
        message.header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(message)

    def _reports(self) -> list[DiagnosticStatus]:
        if self._activity is None:
            return [self._status("node", "", OK, "inactive", {})]
        now = time.monotonic()
        seconds, self._last_time = now - self._last_time, now
        reports = [self._input(one, now, seconds) for one in self._activity.synchronizer.inputs]
        return [
            *reports,
            self._pairing(now),
            self._registration(),
            self._calibration(),
            self._worker(),
            self._processing(),
            self._device(),
        ]

    def _input(self, one: Input, now: float, seconds: float) -> DiagnosticStatus:
        topic = self._node.resolve_topic_name(image_topic(self._node, one.role, self._activity.parameters))
        rate = (one.received - self._last_received[one.role]) / seconds
        self._last_received[one.role] = one.received
        has_camera = self._activity.cameras.has(one.role)
        needs_camera = one.role == "source" or self._activity.parameters.register_guide
        silent = now - one.last_arrival
        level, text = OK, f"{rate:.1f} Hz"
        if not self._activity.inputs.subscribed:
            text = "not subscribed: nobody subscribes to a result"
        elif silent > SILENCE_SECONDS:
            level, text = ERROR, f"no image on {topic} for {silent:.0f} s: {self._publishers(topic)}"
            self._warn(one.role, text)
        elif not one.received:
            level, text = WARN, f"no image on {topic} yet"
        elif needs_camera and not has_camera:
            info_topic = self._node.resolve_topic_name(f"{one.role}/camera_info")
            level, text = WARN, f"{text}, but no camera_info on {info_topic}"
        elif needs_camera and (trouble := self._activity.cameras.trouble(one.role)):
            level, text = WARN, f"{text}, but its camera_info is not used: {trouble}"
        values = {
            "topic": topic,
            "rate (Hz)": f"{rate:.1f}",
            "received": one.received,
            "QoS": self._our_qos(topic),
            "publishers": self._node.count_publishers(topic),
            "camera_info": "yes" if has_camera else "no",
        }
        return self._status(one.role, topic, level, text, values)

    def _publishers(self, topic: str) -> str:
        """Who publishes there, with what QoS, beside our own."""
        infos = self._node.get_publishers_info_by_topic(topic)
        who = ", ".join(
            f"{info.node_namespace.rstrip('/')}/{info.node_name} {_qos(info.qos_profile)}" for info in infos
        )
        count = f"{len(infos)} publisher{'' if len(infos) == 1 else 's'}"
        return f"{count}{f' ({who})' if who else ''}, subscribed {self._our_qos(topic)}"

    def _our_qos(self, topic: str) -> str:
        profile = self._activity.inputs.qos_of(topic)
        return _qos(profile) if profile else "-"

    def _pairing(self, now: float) -> DiagnosticStatus:
        pairing, last = self._activity.synchronizer.pairing, self._last_pairing
        self._last_pairing = pairing
        if pairing.pairs > self._at_last_pair.pairs or not self._activity.inputs.subscribed:
            self._at_last_pair, self._last_pair_time = pairing, now
        before = self._at_last_pair
        both_came = pairing.sources > before.sources and pairing.guides > before.guides
        level, text = OK, f"{pairing.pairs} pairs"
        counts = f"sources: {pairing.sources}, guides: {pairing.guides}, pairs: {pairing.pairs}"
        if both_came and now - self._last_pair_time > SILENCE_SECONDS:
            level, text = ERROR, f"{counts}, {self._differences(pairing)}"
            self._warn("pairing", f"no pairs for {now - self._last_pair_time:.0f} s: {text}")
        elif pairing.dropped_sources > last.dropped_sources:
            dropped = pairing.dropped_sources - last.dropped_sources
            level, text = WARN, f"{text}, {dropped} sources found no guide since the last report"
        values = {
            "sources": pairing.sources,
            "guides": pairing.guides,
            "pairs": pairing.pairs,
            "unpaired sources": pairing.dropped_sources,
            "unpaired guides": pairing.dropped_guides,
            "last dt": _ms(pairing.last_dt_seconds),
        }
        return self._status("pairing", "", level, text, values)

    def _differences(self, pairing: PairingCounts) -> str:
        """How far the stamps are apart, and how far they may be."""
        source, guide = self._activity.synchronizer.inputs
        apart = None if None in (source.stamp, guide.stamp) else (source.stamp - guide.stamp) / NANOSECONDS
        return (
            f"last dt {_ms(pairing.last_dt_seconds)}, latest stamps {_ms(apart)} apart, "
            f"slop {_ms(self._activity.parameters.sync.slop)}"
        )

    def _calibration(self) -> DiagnosticStatus:
        """How far the guide camera is from where its calibration says."""
        off, most = self._activity.processing.misalignment, self._activity.parameters.calibration.warn
        if off is None:
            return self._status("calibration", "", OK, "unknown: no registered keyframe told it yet", {})
        roll, pitch, yaw = (f"{angle:+.2f}" for angle in off.degrees)
        text = f"off by {off.angle:.2f} +- {off.spread:.2f} degrees, {off.pixels:.1f} px"
        level = OK
        if off.exceeds(most):
            level, text = (
                WARN,
                f"{text}, more than {most:g} degrees: ~/save_extrinsics writes what it should be",
            )
        values = {
            "roll (degrees)": roll,
            "pitch (degrees)": pitch,
            "yaw (degrees)": yaw,
            "spread (degrees)": f"{off.spread:.2f}",
            "misalignment (px)": f"{off.pixels:.2f}",
            "spread (px)": f"{off.pixels_spread:.2f}",
            "keyframes": off.keyframes,
        }
        return self._status("calibration", "", level, text, values)

    def _worker(self) -> DiagnosticStatus:
        """Before `_processing`, which takes note of the counts."""
        report = worker_report(self._activity.worker, self._activity.tally.counts, self._last_counts)
        return self._status("worker", "", *report)

    def _processing(self) -> DiagnosticStatus:
        counts, last = self._activity.tally.counts, self._last_counts
        self._last_counts = counts
        latencies, durations = self._activity.tally.durations
        level, text = self._judged(counts, last)
        values = {
            "processed": counts.processed,
            "fallbacks": counts.fallbacks,
            "fallbacks for want of memory": counts.exhausted,
            "busy (s)": f"{self._activity.worker.patience.busy_seconds:.1f}",
            **_percentiles("latency", latencies),
            **_percentiles("processing", durations),
            "dropped: replaced by a newer pair": counts.replaced,
            "dropped: stale": counts.stale,
            "dropped: failed": counts.failed,
            "dropped: nobody subscribed": counts.unwatched,
            "dropped: that stamp or a later one taken already": counts.repeated,
            "dropped: lost by the middleware": counts.lost,
            **{f"rejected: {cause}": number for cause, number in sorted(counts.rejected.items())},
            "last rejected": counts.last_rejection or "-",
            "resets": counts.resets,
            "last reset": counts.reset_reason or "-",
        }
        return self._status("processing", "", level, text, values)

    def _judged(self, counts: Counts, last: Counts) -> tuple[bytes, str]:
        """What has happened since the last report, the worst of it."""
        if counts.failed > last.failed:
            return ERROR, f"failed: {counts.last_failure}"
        if counts.exhausted > last.exhausted:
            return ERROR, f"plain upsampling was published: {counts.last_failure}"
        if new := counts.rejected - last.rejected:
            causes = ", ".join(f"{cause} ({number})" for cause, number in new.items())
            return WARN, f"images were left out: {causes}"
        if counts.fallbacks > last.fallbacks:
            return WARN, "plain upsampling was published: the optimisation found nothing better"
        if counts.lost > last.lost:
            return WARN, f"the middleware lost {counts.lost - last.lost} images"
        if not self._activity.outputs.watched:
            return OK, "idle: nobody subscribes"
        return OK, f"{counts.processed} results"

    def _registration(self) -> DiagnosticStatus:
        """How the guide comes into the source's view, and what had to be assumed."""
        report = self._activity.processing.view.report
        if report is None:
            return self._status("registration", "", OK, "no pair yet", {})
        values = {
            "registered": "yes" if report.registered else "no",
            "extrinsics": (report.extrinsics and report.extrinsics.origin) or "assumed",
            "guide finer by": f"{report.gap:.2f}",
            "passes through": "yes" if report.passes_through else "no",
        }
        return self._status("registration", "", WARN if report.doubtful else OK, report.text, values)

    def _device(self) -> DiagnosticStatus:
        processing = self._activity.processing
        values = {"device": processing.device_name, **processing.memory}
        return self._status(
            "device", processing.device_name, OK, f"computing on {processing.device_name}", values
        )

    def _warn(self, task: str, text: str) -> None:
        if self._rate.allows(task):
            self._node.get_logger().warning(text)

    def _status(
        self, task: str, hardware: str, level: bytes, text: str, values: dict[str, object]
    ) -> DiagnosticStatus:
        return DiagnosticStatus(
            name=f"{self._name}: {task}",
            hardware_id=hardware,
            level=level,
            message=text,
            values=[KeyValue(key=key, value=str(value)) for key, value in values.items()],
        )


def _qos(profile: QoSProfile) -> str:
    return f"{profile.reliability.name}, {profile.durability.name}"


def _ms(seconds: float | None) -> str:
    return "-" if seconds is None else f"{1000 * seconds:.1f} ms"


def _percentiles(name: str, seconds: list[float]) -> dict[str, str]:
    """Of the recent results; nothing of those whose latency is unknown."""
    known = [one for one in seconds if np.isfinite(one)]
    ranks = (50, 95)
    values = np.percentile(known, ranks) if known else []
    return {f"{name} p{rank} (s)": f"{value:.3f}" for rank, value in zip(ranks, values, strict=False)}
