"""What editors chose to show beside an event, once both events are here."""

from collections.abc import Iterator

from django.db.models import Q

from events.importers.records import Choice
from events.log import public_act
from events.models import Event, RelatedChoice


def load_choices(batch: list[Choice]) -> list[str]:
    """Make the choices that nobody made here yet; returns those that cannot be made."""
    with public_act(None, None) as act:
        uids = {uid for choice in batch for uid in (choice.event, choice.other)}
        events = dict(Event.objects.filter(uid__in=uids).values_list("uid", "pk"))
        made = _made(events.values())
        problems = list(_problems(batch, events, made))
        new = {pair: shown for pair, shown in _pairs(batch, events) if pair not in made and pair[0] != pair[1]}
        RelatedChoice.objects.bulk_create(
            RelatedChoice(event_id=event, other_id=other, shown=shown) for (event, other), shown in new.items()
        )
        act.head.changed += bool(new)
    return problems


def _made(events) -> dict[tuple[int, int], bool]:
    choices = RelatedChoice.objects.filter(Q(event__in=events), Q(other__in=events))
    return {(choice.event_id, choice.other_id): choice.shown for choice in choices}


def _pairs(batch: list[Choice], events: dict) -> Iterator[tuple[tuple[int, int], bool]]:
    for choice in batch:
        if choice.event in events and choice.other in events:
            yield (events[choice.event], events[choice.other]), choice.shown


def _problems(batch: list[Choice], events: dict, made: dict) -> Iterator[str]:
    for choice in batch:
        pair = events.get(choice.event), events.get(choice.other)
        if None in pair or pair[0] == pair[1]:
            yield f"{choice.place}: name two events that are here."
        elif made.get(pair, choice.shown) != choice.shown:
            yield f"{choice.place}: an editor chose otherwise here."
