"""Invented names of Chinese hotels, rooms and booking sites, and sentences about them, as ``training.starter.names`` has them in English.

Held-out names come from characters and words of their own: a model that spells them right has copied them.
"""

import random

from agent.language.written import CURRENCIES_ZH

_HOTEL_CHARACTERS = (
    "云海山江湖松竹兰桂月星晨锦华瑞安和泰丰嘉悦怡馨雅景泉溪谷岭湾港桥塔城园庭堂轩阁楼居墨书青碧金玉紫丹白红东南西北春秋天地福禄康宁"
)
_HELD_OUT_HOTEL_CHARACTERS = "沐栖漫屿隐澜苇棠梧鹭枫杏汀砚"
_HOTEL_KINDS = (
    "酒店", "大酒店", "宾馆", "饭店", "客栈", "民宿", "度假村", "度假酒店", "国际酒店", "公寓", "商务酒店", "精品酒店", "青年旅舍", "山庄",
)  # fmt: skip
_PLACES = (
    "杭州", "苏州", "成都", "西安", "厦门", "青岛", "大连", "昆明", "桂林", "丽江", "南京", "武汉", "长沙", "重庆", "广州",
    "深圳", "上海", "北京",
)  # fmt: skip
_HELD_OUT_PLACES = ("扬州", "泉州", "洛阳", "大理")
_ROOM_GRADES = (
    "标准", "高级", "豪华", "商务", "行政", "经济", "舒适", "家庭", "精致", "至尊", "湖景", "海景", "山景", "园景", "江景",
    "城景", "庭院", "阳台", "特惠", "尊享", "雅致", "温馨",
)  # fmt: skip
_HELD_OUT_ROOM_GRADES = ("雪景", "林间", "临水", "观星", "复古", "禅意")
_ROOM_KINDS = (
    "大床房", "双床房", "单人间", "标间", "标准间", "三人间", "套房", "家庭房", "亲子房", "公寓房", "别墅", "一室一厅",
    "榻榻米房", "四人间",
)  # fmt: skip
_HELD_OUT_ROOM_KINDS = ("阁楼房", "圆床房", "连通房", "木屋")
_SITE_CHARACTERS = "途程旅游行乐飞客住宿订达驴优易"
_HELD_OUT_SITE_CHARACTERS = "逛憩泊渡"
_SITE_ENDINGS = ("网", "旅行", "订房", "旅游网", "假期")
_EVIDENCE = (
    "最近的点评里，客人多次提到{hotel}的员工很热情。",
    "客人说{room}很安静。",
    "附近今年新开了两家同档次的酒店。",
    "{room}上个月每晚都有空房。",
    "看过{room}的客人，不少又去看了别的酒店。",
    "{hotel}和我们合作好几年了。",
    "{room}刚装修过，页面上的照片是新的。",
    "这个季节平日的订单来得比周末晚。",
    "很多住过{hotel}的客人会再来。",
    "上个月客人给{room}打了9.2分。",
)
_YUAN_SHARE = 0.6


def hotel_name(rng: random.Random, *, held_out: bool = False) -> str:
    """A hotel's name, such as ``松月客栈`` or ``杭州云溪精品酒店``."""
    characters, places = (_HELD_OUT_HOTEL_CHARACTERS, _HELD_OUT_PLACES) if held_out else (_HOTEL_CHARACTERS, _PLACES)
    name = _coined(rng, characters, rng.choice((2, 2, 3))) + rng.choice(_HOTEL_KINDS)
    return rng.choice(places) + name if rng.random() < 0.3 else name


def room_type(rng: random.Random, *, held_out: bool = False) -> str:
    """A room type, such as ``湖景大床房``; half of the grades are coined, for any word can be one."""
    grades = _HELD_OUT_ROOM_GRADES if held_out else _ROOM_GRADES
    kinds = _HELD_OUT_ROOM_KINDS if held_out else _ROOM_KINDS
    characters = _HELD_OUT_HOTEL_CHARACTERS if held_out else _HOTEL_CHARACTERS
    grade = rng.choice(grades) if rng.random() < 0.5 else _coined(rng, characters, 2)
    return grade + rng.choice(kinds)


def booking_site(rng: random.Random, *, held_out: bool = False) -> str:
    """A site where a price was seen, such as ``乐途旅行``."""
    return _coined(rng, _HELD_OUT_SITE_CHARACTERS if held_out else _SITE_CHARACTERS, 2) + rng.choice(_SITE_ENDINGS)


def currency(rng: random.Random) -> str:
    """An ISO 4217 code, mostly the yuan."""
    return "CNY" if rng.random() < _YUAN_SHARE else rng.choice(tuple(CURRENCIES_ZH))


def evidence(rng: random.Random, count: int, *, hotel: str, room: str) -> tuple[str, ...]:
    """So many different sentences that our side may say of a room."""
    return tuple(line.format(hotel=hotel, room=room) for line in rng.sample(_EVIDENCE, k=count))


def _coined(rng: random.Random, characters: str, length: int) -> str:
    return "".join(rng.sample(characters, k=length))
