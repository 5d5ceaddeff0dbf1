"""What is hidden and what stays: people's data goes, prices and dates do not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.models import Contact, Hotel
from training.data.masking import Mask, without_addresses


def contact(name: str, email: str | None = None, phone: str | None = None) -> Contact:
    hotel = Hotel(name="H", city="C", country="PT")
    return Contact(hotel_id=hotel.id, name=name, email=email, phone=phone)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("write to jo.smith+x@hotel-a.co.uk please", "write to [email] please"),
        ("my number is +351 912 345 678", "my number is [phone]"),
        ("call me on 555-0142-7", "call me on [phone]"),
        ("WhatsApp: 0044 20 7946 0018.", "WhatsApp: [phone]."),
        ("13812345678 is mine", "[phone] is mine"),
        ("电话 13812345678", "电话 [phone]"),
        ("(020) 7946-0018-22", "[phone]"),
    ],
)
def test_addresses_and_numbers_go(text: str, masked: str) -> None:
    assert without_addresses(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "now 440 net / 517.65 selling EUR",
        "We could do 1,430.50 or 1.430.500 IDR",
        "IDR 1.430.500.000 for the villa",
        "from 2027-03-01 2027-03-31",
        "01/03/2027 - 31/03/2027, 2 rooms",
        "between 418, 425 and 430 net",
        "1 Mar 2027 to 31 Mar 2027",
        "room 1204, 12% off 21500 JPY",
    ],
)
def test_prices_and_dates_stay(text: str) -> None:
    assert without_addresses(text) == text


@pytest.mark.parametrize(
    ("name", "text", "masked"),
    [
        (
            "Maria João Silva",
            "Hi, maria here. SILVA will decide, said Maria João Silva",
            "Hi, [name] here. [name] will decide, said [name]",
        ),
        ("Will Price", "We will lower the price, says Will", "We will lower the price, says [name]"),
        ("May Lin", "From 3 May to 9 May, says May", "From 3 May to 9 May, says [name]"),
        ("王伟", "王经理说可以，请找王伟", "[name]经理说可以，请找[name]"),
        ("Net Sakura", "{net} net for Sakura", "{net} [name] for [name]"),
        ("Ana", "Banana bread, Ana's", "Banana bread, [name]'s"),
        ("Mr. Lee", "Dear Mr. Lee, Mr Jones", "Dear [name], Mr Jones"),
    ],
)
def test_names_go_in_every_form(name: str, text: str, masked: str) -> None:
    assert Mask.of([contact(name)])(text) == masked


@pytest.mark.parametrize("written", ["+351 912 345 678", "912345678", "(912) 345-678", "00351912345678", "912.345.678"])
def test_a_known_phone_goes_however_it_is_written(written: str) -> None:
    masked = Mask.of([contact("A B", phone="+351 912-345-678")])(f"ring {written} today, 120 net")
    assert "345" not in masked
    assert masked.endswith("today, 120 net")


@given(st.text(alphabet="0123456789 +-./()@ab,[]", max_size=60))
def test_masking_twice_changes_nothing(text: str) -> None:
    once = without_addresses(text)
    assert without_addresses(once) == once
