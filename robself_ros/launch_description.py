"""A `Plan` as actions of ROS's launch system: what both launch files share."""

from __future__ import annotations

from launch import Action, LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, ExecuteProcess, OpaqueFunction, SetEnvironmentVariable
from launch_ros.actions import Node

from robself_ros.companions import Companion
from robself_ros.launching import NODE_NAME, Plan, arguments, plan


def launch_description(modality: str) -> LaunchDescription:
    """The launch description for a modality, "depth" or "nir"."""

    def start(context: LaunchContext) -> list[Action]:
        return _actions(context, modality)

    declared = [
        DeclareLaunchArgument(name, default_value=default, description=description)
        for name, default, description in arguments(modality)
    ]
    return LaunchDescription([*declared, OpaqueFunction(function=start)])


def _actions(context: LaunchContext, modality: str) -> list[Action]:
    todo = plan(context.launch_configurations, modality, context.environment)
    node = Node(  # It names itself: `name` would rename every node of its process.
        package="robself_ros",
        executable=NODE_NAME,
        namespace=todo.namespace,
        parameters=todo.parameters,
        remappings=todo.remappings,
        output="screen",
        emulate_tty=True,
    )
    actions: list[Action] = [SetEnvironmentVariable(*variable) for variable in todo.environment.items()]
    if todo.player:
        actions.append(ExecuteProcess(cmd=todo.player, output="screen"))
    return [*actions, node, *(_companion(one, todo) for one in todo.companions)]


def _companion(companion: Companion, todo: Plan) -> Node:
    return Node(
        package=companion.package,
        executable=companion.executable,
        name=companion.name,
        namespace=todo.namespace,
        parameters=[{**companion.parameters, "use_sim_time": todo.use_sim_time}],
        remappings=companion.remappings,
        arguments=companion.arguments,
        output="screen",
    )
