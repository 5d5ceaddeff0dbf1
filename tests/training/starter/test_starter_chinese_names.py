import random
import re

from training.starter import chinese_names


def drawn(held_out: bool) -> tuple[set[str], set[str]]:
    rng = random.Random(1)
    return (
        {chinese_names.hotel_name(rng, held_out=held_out) for _ in range(3000)},
        {chinese_names.room_type(rng, held_out=held_out) for _ in range(3000)},
    )


def test_hotel_names_hardly_ever_repeat() -> None:
    assert len(drawn(held_out=False)[0]) > 2000


def test_held_out_rooms_and_hotels_are_never_trained_on() -> None:
    hotels, rooms = drawn(held_out=False)
    new_hotels, new_rooms = drawn(held_out=True)
    assert not rooms & new_rooms
    assert not hotels & new_hotels


def test_names_and_what_is_said_of_them_are_chinese_throughout() -> None:
    rng = random.Random(2)
    hotel, room = chinese_names.hotel_name(rng), chinese_names.room_type(rng)
    told = chinese_names.evidence(rng, 5, hotel=hotel, room=room)
    assert len(set(told)) == 5
    for words in (hotel, room, chinese_names.booking_site(rng), *told):
        assert re.fullmatch(r"[\u4e00-\u9fff，。0-9.]+", words)
