"""The whole firmware: from the button to the receipt, over power cuts."""

from tests.firmware.front.kiosk_rig import Kiosk, Server, until


def test_twenty_thanked_presses_arrive_exactly_once_over_a_power_cut(kiosk: Kiosk, server: Server) -> None:
    kiosk.on()
    kiosk.ready()
    for i in range(10):
        kiosk.press(i % 5)
    server.mute = True
    for i in range(10):
        kiosk.press(i % 5)
    kiosk.cut()
    server.mute = False
    kiosk.on()
    until(lambda: len(server.answers()) == 20, "20 answers")
    assert [answer.value for answer in server.answers()] == [5, 4, 3, 2, 1] * 4
    until(lambda: kiosk.journal.get("waiting") == 0, "the kiosk let go of all", log=kiosk.lines)


def test_a_backlog_of_several_full_batches_drains(kiosk: Kiosk, server: Server) -> None:
    server.settings["thanks_ms"] = 100
    kiosk.on()
    kiosk.ready()
    server.mute = True
    for i in range(320):
        kiosk.say(press=i % 5, ms=30)
        until(lambda want=i + 1: kiosk.thanks >= want, "thanks", log=kiosk.lines)
        until(lambda: len(kiosk.light_times) and not any(kiosk.lights), "lights out")
    server.mute = False
    kiosk.cut()
    kiosk.on()
    until(lambda: len(server.answers()) == 320, "320 answers", log=kiosk.lines)
    assert server.batches < 20
