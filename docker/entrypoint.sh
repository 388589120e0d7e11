#!/bin/bash
# ROS 2 and the package are there for whatever the container runs.
set -e
source /opt/robself/setup.bash
exec "$@"
