"""`sequence-sync dead-letters export|import`: dead letters as a file, a JSON object a line."""

import base64
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec

from bookings.dead_letters import DeadLetter
from bookings.errors import Overtaken
from bookings.operating import Selection, accounts_of, chosen_by, note, select
from bookings.patience import to_the_end
from bookings.record import Part, Write
from bookings.store import Store
from cli.options import CommandError, Exit, operator
from cli.output import print_json_line, words
from cli.progress import steps
from cli.stores import opened
from config.settings import Settings


async def run_export(settings: Settings, chosen: Selection) -> Exit:
    """Prints dead letters whole, meeting texts included."""
    count = 0
    async with opened(settings) as store:
        try:
            with steps("export", lambda: count):
                async for letter in select(store, chosen, accounts_of(settings)):
                    print_json_line(msgspec.json.encode(_exported(letter)).decode())
                    count += 1
        finally:
            if count:
                what = {"filter": chosen_by(chosen), "count": count}
                await to_the_end(note(store, operator(), "export", **what))
    if not count:
        words.print("no dead letter matches")
        return Exit.NOTHING_MATCHED
    words.print(f"exported {count}")
    return Exit.DONE


async def run_import(settings: Settings, file: Path) -> Exit:
    """Puts exported dead letters back; what the record knows already is left as it is."""
    letters = _read(file)
    if not letters:
        words.print("nothing to import")
        return Exit.NOTHING_MATCHED
    results: Counter[str] = Counter()

    async def restore(letter: DeadLetter) -> None:
        results[await _restore(store, settings, letter)] += 1

    async with opened(settings) as store:
        try:
            with steps("import", results.total, of=len(letters)):
                for letter in letters:
                    await to_the_end(restore(letter))
        finally:
            refused = results["overtaken"] + results["busy"]
            what = {
                "count": results.total() - refused,
                "refused": refused,
                "left": len(letters) - results.total(),
            }
            await to_the_end(note(store, operator(), "import", **what))
            words.print(", ".join(f"{count} {result}" for result, count in results.items() if count))
    return Exit.PARTLY if refused else Exit.DONE


def _read(file: Path) -> list[DeadLetter]:
    try:
        return [_imported(line) for line in file.read_bytes().splitlines() if line.strip()]
    except OSError as error:
        raise CommandError(f"cannot read {file}: {error.strerror}", Exit.USAGE) from None
    except (msgspec.DecodeError, ValueError, KeyError, TypeError) as error:
        raise CommandError(f"{file} is not what `dead-letters export` prints: {error}", Exit.USAGE) from None


async def _restore(store: Store, settings: Settings, letter: DeadLetter) -> str:
    if letter.delivery is None:
        try:
            return await store.restore(letter)
        except Overtaken:
            return "overtaken"
    await store.quarantine(
        delivery=letter.delivery,
        app=letter.app,
        link=letter.link or None,
        reason=letter.detail,
        body=letter.body,
        signature=letter.signature,
        kind=letter.reason,
        event_id=letter.event_id,
        at=letter.died_at,
        dead_letters_limit=settings.receiver.dead_letters_limit,
    )
    return "restored"


def _exported(letter: DeadLetter) -> dict[str, Any]:
    return {
        **msgspec.structs.asdict(letter),
        "body": base64.b64encode(letter.body).decode(),
        "part": None if letter.part is None else msgspec.json.encode(letter.part).decode(),
        "write": None if letter.write is None else msgspec.json.encode(letter.write).decode(),
    }


def _imported(line: bytes) -> DeadLetter:
    data = msgspec.json.decode(line, type=dict[str, Any])
    part, write = data.pop("part"), data.pop("write")
    body = base64.b64decode(data.pop("body"), validate=True)
    return DeadLetter(
        **data,
        body=body,
        part=msgspec.json.decode(part, type=Part) if part else None,
        write=msgspec.json.decode(write, type=Write) if write else None,
    )
