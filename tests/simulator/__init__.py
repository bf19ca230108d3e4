"""Simulated people and simulated attacks before a simulated camera.

Usage:

    subject = Subject(load_picture("person_b_1"))          # about 0.5 s, then 10 ms a frame
    person = Person(subject, seed=1)
    person.show("turn_left", 1, at_ms=1000)                # what the page asks; the person's own left
    frame = jpeg(person, at_ms=1066)                       # bytes; person.frame(...) gives the picture

Whatever is measured with these pictures is a *simulated* figure and says so.
"""

from tests.simulator.actor import Actor, Person, jpeg
from tests.simulator.camera import Camera, Sensor, encode
from tests.simulator.subject import Pose, Subject
from tests.simulator.timeline import ACTIONS, Habits

__all__ = ["ACTIONS", "Actor", "Camera", "Habits", "Person", "Pose", "Sensor", "Subject", "encode", "jpeg"]
