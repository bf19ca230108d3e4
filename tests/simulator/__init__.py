"""Simulated people and simulated attacks before a simulated camera.

Usage:

    subject = Subject(load_picture("person_b_1"))          # about 0.5 s, then 10 ms a frame
    person = Person(subject, seed=1)
    person.show("turn_left", 1, at_ms=1000)                # what the page asks; the person's own left
    jpeg = encode(person.frame(at_ms=1066))

Whatever is measured with these pictures is a *simulated* figure and says so.
"""

from tests.simulator.actor import ACTIONS, Actor, Habits, Person
from tests.simulator.camera import Camera, Sensor, encode
from tests.simulator.subject import Pose, Subject

__all__ = ["ACTIONS", "Actor", "Camera", "Habits", "Person", "Pose", "Sensor", "Subject", "encode"]
