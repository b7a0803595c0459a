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
    assert [answer[9] for answer in server.answers()] == [5, 4, 3, 2, 1] * 4
    until(lambda: kiosk.journal.get("waiting") == 0, "the kiosk let go of all", log=kiosk.lines)
