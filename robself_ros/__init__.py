"""ROS 2 side of RobSelf: a lifecycle node around the resolver in `robself`, and what starts it."""

from pkgutil import extend_path

# The generated `robself_ros.msg` lies in site-packages while this code may lie in a source tree.
__path__ = extend_path(__path__, __name__)
