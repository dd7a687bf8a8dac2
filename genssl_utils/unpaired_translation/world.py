"""A small world, told in English, French and Thai by sentence patterns that we write."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

__all__ = ["LANGUAGES", "THAI", "Pair", "Sentence", "Texts", "dictionary", "draw_texts"]

LANGUAGES = ("english", "french", "thai")
Sentence = tuple[str, ...]
Pair = tuple[Sentence, Sentence]

# All nouns are in the plural. English; French with its gender; Thai and how it sounds.
BEINGS = (
    ("cats", "chats", "m", "แมว", "maeo"), ("dogs", "chiens", "m", "หมา", "ma"),
    ("horses", "chevaux", "m", "ม้า", "ma (high tone)"), ("cows", "vaches", "f", "วัว", "wua"),
    ("birds", "oiseaux", "m", "นก", "nok"), ("mice", "souris", "f", "หนู", "nu"),
    ("men", "hommes", "m", "ผู้ชาย", "phu chai"), ("women", "femmes", "f", "ผู้หญิง", "phu ying"),
    ("boys", "garçons", "m", "เด็กชาย", "dek chai"), ("girls", "filles", "f", "เด็กหญิง", "dek ying"),
    ("doctors", "médecins", "m", "หมอ", "mo"), ("queens", "reines", "f", "ราชินี", "rachini"),
)  # fmt: skip
THINGS = (
    ("apples", "pommes", "f", "แอปเปิล", "aeppoen"), ("eggs", "œufs", "m", "ไข่", "khai (low tone)"),
    ("cakes", "gâteaux", "m", "เค้ก", "khek"),
    ("lemonades", "limonades", "f", "น้ำมะนาว", "nam manao"),
    ("teas", "thés", "m", "ชา", "cha"), ("books", "livres", "m", "หนังสือ", "nangsue"),
    ("letters", "lettres", "f", "จดหมาย", "chotmai"), ("cars", "voitures", "f", "รถ", "rot"),
    ("boats", "bateaux", "m", "เรือ", "ruea"), ("flowers", "fleurs", "f", "ดอกไม้", "dokmai"),
    ("hats", "chapeaux", "m", "หมวก", "muak"), ("shirts", "chemises", "f", "เสื้อ", "suea"),
    ("keys", "clés", "f", "กุญแจ", "kunchae"), ("stones", "pierres", "f", "หิน", "hin"),
)  # fmt: skip
PLACES = (
    ("gardens", "jardins", "m", "สวน", "suan"), ("houses", "maisons", "f", "บ้าน", "ban"),
    ("kitchens", "cuisines", "f", "ครัว", "khrua"),
    ("schools", "écoles", "f", "โรงเรียน", "rongrian"),
    ("streets", "rues", "f", "ถนน", "thanon"), ("forests", "forêts", "f", "ป่า", "pa"),
    ("markets", "marchés", "m", "ตลาด", "talat"), ("churches", "églises", "f", "โบสถ์", "bot"),
)  # fmt: skip
PEOPLE = frozenset(("men", "women", "boys", "girls", "doctors", "queens"))
# English; French masculine and feminine; Thai; and where it stands in French. Colours are said of
# animals and things, never of people; the rest of whom or what it goes with.
COLOURS = (
    ("black", "noirs", "noires", "ดำ", "dam", "after"),
    ("white", "blancs", "blanches", "ขาว", "khao", "after"),
    ("pink", "roses", "roses", "สีชมพู", "si chomphu", "after"),
    ("yellow", "jaunes", "jaunes", "เหลือง", "lueang", "after"),
    ("red", "rouges", "rouges", "แดง", "daeng", "after"),
    ("brown", "marron", "marron", "สีน้ำตาล", "si namtan", "after"),
)
MANNERS = (
    ("small", "petits", "petites", "เล็ก", "lek", "before"),
    ("big", "grands", "grandes", "ใหญ่", "yai", "before"),
    ("good", "bons", "bonnes", "ดี", "di", "before"),
)
CHARACTERS = (
    ("young", "jeunes", "jeunes", "อายุน้อย", "ayu noi", "before"),
    ("calm", "calmes", "calmes", "ใจเย็น", "chai yen", "after"),
    ("shy", "timides", "timides", "ขี้อาย", "khi ai", "after"),
)
ADJECTIVES = COLOURS + MANNERS + CHARACTERS
# English; French, with a "'" where ne becomes n'; Thai; and which things the verb takes.
ACTS = (
    ("eat", "mangent", "กิน", "kin", "apples eggs cakes"),
    ("drink", "boivent", "ดื่ม", "duem", "lemonades teas"),
    ("read", "lisent", "อ่าน", "an", "books letters"),
    ("write", "'écrivent", "เขียน", "khian", "books letters"),
    ("wear", "portent", "ใส่", "sai", "hats shirts flowers"),
    ("drive", "conduisent", "ขับ", "khap", "cars boats"),
    ("sell", "vendent", "ขาย", "khai", "cars boats flowers hats shirts eggs cakes keys"),
    ("find", "trouvent", "พบ", "phop", "keys stones letters flowers hats apples books"),
    ("see", "voient", "เห็น", "hen", ""),
)
MOVES = (
    ("sleep", "dorment", "นอน", "non"), ("run", "courent", "วิ่ง", "wing"),
    ("sing", "chantent", "ร้องเพลง", "rong phleng"), ("wait", "'attendent", "รอ", "ro"),
    ("play", "jouent", "เล่น", "len"),
)  # fmt: skip
WHERE = (
    ("in", "dans", "ใน", "nai"), ("behind", "derrière", "หลัง", "lang"),
    ("near", "près", "ใกล้", "klai"),
)  # fmt: skip
CONCRETE = BEINGS + THINGS

THAI = {
    **{w[3]: (w[4], w[0]) for w in CONCRETE + PLACES + ADJECTIVES},
    **{w[2]: (w[3], w[0]) for w in (*ACTS, *MOVES, *WHERE)},
    "ไม่เคย": ("mai khoei", "never"),
    "นี่คือ": ("ni khue", "here are"),
}
"""Thai word → how it sounds (Royal Thai General System), and its English word."""

TRAITS = (1.2, 0.9, 0.7, 0.5, 0.4, 0.3)
"""How much each hidden trait counts: words go together whose traits agree, as in a real world."""

WHIM, OFTEN = 1.0, 0.8
"""How far one word prefers another for no reason."""

PATTERNS = ("act", "act", "act", "move", "move", "is", "here are")


@dataclass(frozen=True)
class Noun:
    """A noun with what is said of it."""

    word: tuple[str, ...]
    definite: bool
    adjective: tuple[str, ...] | None = None

    @property
    def form(self) -> int:
        """Where in an adjective's entry the French form stands that agrees with the noun."""
        return 1 if self.word[2] == "m" else 2


@dataclass(frozen=True)
class Clause:
    """What a sentence tells, before it is put into words."""

    pattern: str
    who: Noun
    never: bool = False
    verb: tuple[str, ...] | None = None
    what: Noun | None = None
    where: tuple[tuple[str, ...], Noun] | None = None
    adjective: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Texts:
    """Sentences as tuples of words, in two languages that tell of one world.

    Data card:
        Source: made here. A fixed table of preferences says who does what to what, and how often;
            the table is the world's, so both languages tell of it.
        Licence: MIT, as this code.
        Size: as asked for; 68 English, 77 French and 65 Thai words.
        Split: no sentence of `first` has its translation in `second`; no sentence of `validation`
            or `test` has either of its sides in `first`, `second` or `paired`. Thai has no
            articles: what differs in English by these alone is one sentence there, drawn once.
        Must not be used for: claims about the grammar or the use of real languages.

    Attributes:
        first: training sentences of the first language.
        second: training sentences of the second, about other things.
        paired: the sentences of `first` with their translations, for the supervised system only.
        validation: pairs that only judge model selection.
        test: pairs that judge.
    """

    first: list[Sentence]
    second: list[Sentence]
    paired: list[Pair]
    validation: list[Pair]
    test: list[Pair]


def draw_texts(
    sentences: int = 3000, *, languages: tuple[str, str] = ("english", "french"),
    held_out: int = 200, seed: int = 0, worlds: tuple[int, int] = (0, 0),
) -> Texts:  # fmt: skip
    """Draw the texts of two languages, and the pairs that judge.

    Args:
        sentences: training sentences of each language.
        languages: which two, of `LANGUAGES`.
        held_out: pairs of each of the two held-out sets.
        seed: the draw depends on this and on the sizes; the preferences do not.
        worlds: whose preferences each text follows. The pairs are of the first world.

    Raises:
        ValueError: a size is not positive, or a language is not known.

    Example:
        >>> texts = draw_texts(100, held_out=10)
        >>> " ".join(texts.test[0][1])
        'les souris blanches ne vendent jamais les œufs rouges'
    """
    if min(sentences, held_out) < 1:
        raise ValueError("Ask for at least one sentence and one held-out pair.")
    if not set(languages) <= set(LANGUAGES):
        raise ValueError(f"Languages are two of {LANGUAGES}, not {languages}.")
    draw = random.Random(f"{seed} {sentences} {held_out} {languages}")
    told = [_World(draw, number) for number in worlds]
    seen: tuple[set, set] = (set(), set())

    def take(world: _World, number: int) -> list[Pair]:
        pairs: list[Pair] = []
        while len(pairs) < number:
            clause = world.clause()
            first, second = (say(clause, language) for language in languages)
            if first not in seen[0] and second not in seen[1]:
                seen[0].add(first)
                seen[1].add(second)
                pairs.append((first, second))
        return pairs

    validation, test = take(told[0], held_out), take(told[0], held_out)
    paired, others = take(told[0], sentences), take(told[1], sentences)
    first, second = [pair[0] for pair in paired], [pair[1] for pair in others]
    return Texts(first, second, paired, validation, test)


def dictionary(first: str, second: str) -> dict[str, frozenset[str]]:
    """Word of the first language → its right words in the second. It judges; no method sees it."""
    entries: list[dict[str, Sequence[str]]] = []
    for word in CONCRETE + PLACES:
        entries.append({"english": [word[0]], "french": [word[1]], "thai": [word[3]]})
    for word in ADJECTIVES:
        entries.append({"english": [word[0]], "french": word[1:3], "thai": [word[3]]})
    for word in (*ACTS, *MOVES, *WHERE):
        entries.append({"english": [word[0]], "french": [_plain(word[1])], "thai": [word[2]]})
    for english, french, thai in (
        ("the", "les des", ""), ("some", "des de d'", ""), ("never", "ne n' jamais", "ไม่เคย"),
        ("are", "sont voici", "นี่คือ"), ("here", "voici", "นี่คือ"),
    ):  # fmt: skip
        entries.append({"english": [english], "french": french.split(), "thai": thai.split()})
    found: dict[str, set[str]] = {}
    for entry in entries:
        for word in entry[first]:
            found.setdefault(word, set()).update(entry[second])
    return {word: frozenset(right) for word, right in found.items() if right}


def say(clause: Clause, language: str) -> Sentence:
    """Put a clause into words."""
    return {"english": _english, "french": _french, "thai": _thai}[language](clause)


def _plain(word: str) -> str:
    return word.removeprefix("'")


def _english(told: Clause) -> Sentence:
    def phrase(noun: Noun) -> list[str]:
        adjective = [noun.adjective[0]] if noun.adjective else []
        return ["the" if noun.definite else "some", *adjective, noun.word[0]]

    words = ["here", "are"] if told.pattern == "here are" else []
    words += phrase(told.who)
    words += ["never"] * told.never + ([told.verb[0]] if told.verb else [])
    words += phrase(told.what) if told.what else []
    words += [told.where[0][0], *phrase(told.where[1])] if told.where else []
    return (*words, *(["are", told.adjective[0]] if told.adjective else []))


def _french(told: Clause) -> Sentence:
    def phrase(noun: Noun, after: str = "") -> list[str]:
        words, before = [noun.word[1]], False
        if noun.adjective:
            before = noun.adjective[5] == "before"
            words.insert(0 if before else 1, noun.adjective[noun.form])
        if noun.definite:
            return ["des" if after == "près" else "les", *words]
        if not before and after not in ("jamais", "près"):
            return ["des", *words]
        return ["d'" if words[0][0] in "aeiouhéœ" else "de", *words]

    words = ["voici"] if told.pattern == "here are" else []
    words += phrase(told.who)
    if told.verb:
        verb = told.verb[1]
        no = ["n'" if verb[0] == "'" else "ne"] if told.never else []
        words += [*no, _plain(verb)] + ["jamais"] * told.never
    words += phrase(told.what, "jamais" * told.never) if told.what else []
    where = told.where[0][1] if told.where else ""
    words += [where, *phrase(told.where[1], where)] if told.where else []
    return (*words, *(["sont", told.adjective[told.who.form]] if told.adjective else []))


def _thai(told: Clause) -> Sentence:
    def phrase(noun: Noun) -> list[str]:
        return [noun.word[3], *([noun.adjective[3]] if noun.adjective else [])]

    words = ["นี่คือ"] if told.pattern == "here are" else []
    words += phrase(told.who)
    words += ["ไม่เคย"] * told.never + ([told.verb[2]] if told.verb else [])
    words += phrase(told.what) if told.what else []
    words += [told.where[0][2], *phrase(told.where[1])] if told.where else []
    return (*words, *([told.adjective[3]] if told.adjective else []))


def _fitting(word: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """The adjectives that may be said of a noun."""
    if word[0] in PEOPLE:
        return CHARACTERS
    return MANNERS if word in PLACES else COLOURS + MANNERS


class _World:
    """What happens, and how often."""

    def __init__(self, draw: random.Random, number: int) -> None:
        self.draw = draw
        fixed = random.Random(f"world {number}")
        groups = (*CONCRETE, *PLACES, *ADJECTIVES, *ACTS, *MOVES, *WHERE)
        words = [entry[0] for entry in groups]
        traits = {word: [fixed.expovariate(1) - 1 for _ in TRAITS] for word in words}
        self.liking = {}
        for a, b in product(words, words):
            alike = sum(s * x * y for s, x, y in zip(TRAITS, traits[a], traits[b], strict=True))
            self.liking[a, b] = math.exp(min(4.0, alike) + WHIM * fixed.gauss(0, 1))
        self.known = {word: fixed.uniform(0.05, 0.95) for word in words}
        self.often = {word: math.exp(OFTEN * fixed.gauss(0, 1)) for word in words}

    def choose(self, options: Sequence[tuple[str, ...]], *near: str) -> tuple[str, ...]:
        """One of the options, by how often it occurs and how it goes with the words near it."""
        weights = [
            self.often[o[0]] * math.prod(self.liking[word, o[0]] for word in near) for o in options
        ]
        return self.draw.choices(options, weights)[0]

    def noun(self, word: tuple[str, ...], bare: float = 0.4) -> Noun:
        adjective = None
        if self.draw.random() > bare:
            adjective = self.choose(_fitting(word), word[0])
        return Noun(word, self.draw.random() < self.known[word[0]], adjective)

    def place(self, *near: str) -> tuple[tuple[str, ...], Noun]:
        where = self.choose(WHERE, *near)
        return where, self.noun(self.choose(PLACES, *near), bare=0.8)

    def clause(self) -> Clause:
        pattern = self.draw.choice(PATTERNS)
        word = self.choose(CONCRETE if pattern == "here are" else BEINGS)
        who = self.noun(word)
        if pattern == "here are":
            return Clause(pattern, who, where=self.place(word[0]))
        if pattern == "is":
            fresh = [a for a in _fitting(word) if a != who.adjective]
            adjective = self.choose(fresh, word[0])
            return Clause(pattern, who, where=self.place(word[0]), adjective=adjective)
        never = self.draw.random() < 0.35
        if pattern == "move":
            verb = self.choose(MOVES, word[0])
            return Clause(pattern, who, never, verb, where=self.place(word[0], verb[0]))
        verb = self.choose(ACTS, word[0])
        taken = verb[4].split()
        things = [t for t in CONCRETE if t[0] in taken] if taken else CONCRETE
        what = self.noun(self.choose(things, word[0], verb[0]))
        return Clause(pattern, who, never, verb, what=what)
