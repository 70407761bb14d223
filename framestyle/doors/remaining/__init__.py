"""How long a job will still take: its planned steps, each at what steps of its size have cost so far.

A job's first steps are taken on its smallest pictures, a shot's first frame takes many times the steps of a warm one,
and photos of a folder are painted beside each other: so time is reckoned by steps and pixels, never by the frame.

listener.py hears the events; frame_times.py: what a frame takes; step_costs.py: what a step costs; tasks.py: what is
left of a task, at which rates; photos_at_once.py: photos that are painted beside each other.
"""

from __future__ import annotations

from framestyle.doors.remaining.listener import LEAST_STEPS, Clock, Remaining

__all__ = ["LEAST_STEPS", "Clock", "Remaining"]
