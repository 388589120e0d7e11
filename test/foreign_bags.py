"""Bags as others write them: by rosbags alone, to be read by the product."""

import numpy as np
from rosbags.rosbag1 import Writer as Ros1Writer
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin
from rosbags.rosbag2 import Writer as Ros2Writer
from rosbags.typesys import Stores, get_typestore

SECOND = 10**9


class BagBuilder:
    """What `write_bag` has its bag filled with."""

    def __init__(self, writer, store, ros1=False):
        self.types, self.writer, self.ros1, self.connections = get_typestore(store), writer, ros1, {}

    def add(self, topic, kind, stamp_ns, time_ns=None, frame_id="depth", **content):
        types = self.types.types
        stamp = types["builtin_interfaces/msg/Time"](stamp_ns // SECOND, stamp_ns % SECOND)
        sequence = {"seq": 0} if self.ros1 else {}
        header = types["std_msgs/msg/Header"](**sequence, stamp=stamp, frame_id=frame_id)
        message = types[kind](header=header, **content)
        if topic not in self.connections:
            self.connections[topic] = self.writer.add_connection(topic, kind, typestore=self.types)
        serialize = self.types.serialize_ros1 if self.ros1 else self.types.serialize_cdr
        self.writer.write(self.connections[topic], time_ns or stamp_ns, serialize(message, kind))

    def image(self, topic, array, encoding, stamp_ns, **changes):
        flat = np.ascontiguousarray(array)
        fields = {
            "height": array.shape[0],
            "width": array.shape[1],
            "encoding": encoding,
            "is_bigendian": 0,
            "step": flat.nbytes // array.shape[0],
            "data": flat.view(np.uint8).reshape(-1),
        }
        self.add(topic, "sensor_msgs/msg/Image", stamp_ns, **(fields | changes))

    def compressed(self, topic, image_format, data, stamp_ns, frame_id="depth"):
        content = {"format": image_format, "data": np.frombuffer(data, np.uint8)}
        self.add(topic, "sensor_msgs/msg/CompressedImage", stamp_ns, frame_id=frame_id, **content)

    def camera_info(self, topic, camera, stamp_ns, **changes):
        fields = camera.camera_info_fields() | changes
        fields["roi"] = self.types.types["sensor_msgs/msg/RegionOfInterest"](**fields["roi"])
        for name in ("d", "k", "r", "p"):
            fields[name] = np.array(fields[name], float)
            if self.ros1:
                fields[name.upper()] = fields.pop(name)
        self.add(topic, "sensor_msgs/msg/CameraInfo", stamp_ns, frame_id=camera.frame_id, **fields)


def write_bag(path, fill, container="mcap", compression=CompressionMode.NONE):
    """Writes a bag with rosbags' own writer; returns what to open."""
    if container == "ros1":
        path = path.with_suffix(".bag")
        writer = Ros1Writer(path)
        if compression is not CompressionMode.NONE:
            writer.set_compression(Ros1Writer.CompressionFormat.LZ4)
        with writer:
            fill(BagBuilder(writer, Stores.ROS1_NOETIC, ros1=True))
        return path
    plugin = StoragePlugin.SQLITE3 if container == "sqlite3" else StoragePlugin.MCAP
    writer = Ros2Writer(path, version=9, storage_plugin=plugin)
    writer.set_compression(compression, CompressionFormat.ZSTD)
    with writer:
        fill(BagBuilder(writer, Stores.ROS2_HUMBLE))
    return path
