import random

from training.starter.names import hotel_name, room_type


def drawn(held_out: bool) -> tuple[set[str], set[str]]:
    rng = random.Random(1)
    return {hotel_name(rng, held_out=held_out) for _ in range(3000)}, {room_type(rng, held_out=held_out) for _ in range(3000)}


def test_hotel_names_hardly_ever_repeat() -> None:
    hotels, _ = drawn(held_out=False)
    assert len(hotels) > 2000


def test_held_out_rooms_and_hotels_are_never_trained_on() -> None:
    hotels, rooms = drawn(held_out=False)
    new_hotels, new_rooms = drawn(held_out=True)
    assert not rooms & new_rooms
    assert not hotels & new_hotels
