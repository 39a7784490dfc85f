"""RWKU in small: three people, in the configs of the hub, by the names that their files have there."""

PEOPLE = ("Ada Orme", "Bo Quill", "Cy Marsh")


def asked(level, kind, count=4, about="Ede"):
    return [
        {
            "query": f"{kind} {i} on {name}?",
            "answer": f"{about} {i}",
            "subject": name,
            "level": level,
            "type": kind,
        }
        for name in PEOPLE
        for i in range(count)
    ]


def texts(what, count=3):
    return [{"text": f"{what} number {i} on {name}.", "subject": name} for name in PEOPLE for i in range(count)]


FILES = {
    "forget_level1": asked("1", "cloze"),
    "forget_level2": asked("2", "simple question"),
    "forget_level3": asked("3", "affirmative suffix", 2) + asked("3", "role play", 2),
    "neighbor_level1": asked("1", "cloze", about="Oss"),
    "neighbor_level2": asked("2", "simple question", about="Oss"),
    "forget_mia": texts("A page"),
    "retain_mia": texts("Another page"),
    "positive": texts("A passage"),
    "positive_phi": texts("A passage by another hand"),
}
