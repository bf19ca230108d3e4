"""What a page says of its camera: codes for the audit log, none of which decides anything."""

import pytest

from plugin.factors.camera_report import CameraReport, camera_risks


def report(label="Integrated Camera (04f2:b71a)", *, width=640, height=480, frame_rate=30.0):
    return CameraReport(label, width, height, frame_rate)


@pytest.mark.parametrize(
    "label",
    ["Integrated Camera (04f2:b71a)", "FaceTime HD Camera", "HD Pro Webcam C920", "camera2 1, facing front", "Front"],
)
def test_a_camera_as_people_have_them_is_no_risk(label):
    assert camera_risks(report(label)) == ()


@pytest.mark.parametrize(
    "label",
    ["OBS Virtual Camera", "ManyCam Virtual Webcam", "Dummy video device (0x0000)", "DroidCam Source 3", "XSplit VCam"],
)
def test_a_known_virtual_camera_is_named_as_such_whatever_its_case(label):
    assert camera_risks(report(label)) == ("virtual_camera",)
    assert camera_risks(report(label.upper())) == ("virtual_camera",)


@pytest.mark.parametrize(
    ("said", "risk"),
    [
        ({"label": " "}, "camera_unnamed"),
        ({"width": 320, "height": 240}, "camera_size"),
        ({"width": None, "height": None}, "camera_size"),
        ({"frame_rate": None}, "camera_rate"),
        ({"frame_rate": 0}, "camera_rate"),
        ({"frame_rate": 1000}, "camera_rate"),
    ],
    ids=str,
)
def test_what_no_camera_says_is_a_code(said, risk):
    assert camera_risks(report(**said)) == (risk,)


def test_a_phone_held_upright_is_no_risk():
    assert camera_risks(report(width=480, height=640)) == ()


def test_without_a_report_there_is_nothing_to_say():
    assert camera_risks(None) == ()


def test_the_label_is_not_shown():
    assert "own telephone" not in repr(report("Somebody's own telephone"))
