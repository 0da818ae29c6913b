import { z } from 'zod'
import { WordTable } from './words.ts'

const Phrases = z.array(z.string().min(1)).default([])

/** How one language is written in chats: data of `flows/lexicon/<language>.json`. Phrases as `patterns.ts` describes. */
export const LanguageLexicon = z
  .object({
    /** Other spellings of a word, or one token that stands for several: "không": ["ko"], "điện thoại": ["đt"]. */
    spellings: z.record(z.string(), z.array(z.string())).default({}),
    /** Everyday words without a part in any answer, several in one entry: what is written rightly is no slip of another word ("xe" is not "sẽ"). */
    ordinary: Phrases,
    /** Words that change nothing: polite frames, pronouns, particles. */
    light: Phrases,
    /** May stand between the words of a phrase, but is not without meaning by itself: "chỉ". */
    between: Phrases,
    /** The polite frame around a word that works in every chat. */
    polite: Phrases,
    /** Words that turn, weaken or move a meaning; an answer that leaves one unexplained is never accepted. */
    poison: Phrases,
    /** Reasons and circumstances beside an answer: they say nothing of it, even where they deny: "mắt kém", "không biết chữ". */
    aside: Phrases,
    /** After these only what is said of today counts: "năm ngoái … năm nay …". */
    past: Phrases,
    present: Phrases,
    /** No phrase reaches over these: "không cần nhắc" is not "không nhắc". */
    walls: Phrases,
    /** Sets a part of a story against the one before. */
    contrast: Phrases,
    /** Begins a new clause without a pause before it; its first word is none of the clause. */
    clause: Phrases,
    /** Who speaks: "tôi". At the beginning of a clause. */
    self: Phrases,
    /** What is still to come: said beside what is so now, it is no answer. */
    future: Phrases,
    /** In these a word for a number is none: "đầu năm". */
    no_number: Phrases,
    /** A number after one of these counts nothing: "tháng ba". */
    dated: Phrases,
    /** What people do that no question asks about: beside one of these a short answer may speak of it, and is none. */
    acts: Phrases,
    /** What can be said of anything: no answer that consists of these says by itself what it speaks of ("đã ổn"). Several in one entry. */
    anything: Phrases,
    /** What stands after one of these is what it is done with or to: "dùng | máy cày". Several in one entry. */
    takes_object: Phrases,
    /** After one of these anything may stand: one reads, learns, tells whatever there is. Several in one entry. */
    takes_anything: Phrases,
    /** Who does this lets others do something: "công ty cho học". Several in one entry. */
    lets: Phrases,
    /** A question with one of these asks how one gets on with others. */
    getting_on: Phrases,
    /** Two do something with each other. Several in one entry. */
    together: Phrases,
    /** Before a place, a time or a companion: what follows is not what a doing is done to. Several in one entry. */
    before: Phrases,
    /** Feelings and courtesy: they change no answer. Several in one entry. */
    moods: Phrases,
    /** The same in several words. */
    mood_phrases: Phrases,
    /** By class, what surrounds a doing without changing it: places, times, things, people. Several in one entry. */
    circumstances: z.record(z.string(), Phrases).default({}),
    /** The same in several words, which each mean something else: "cơ quan", "bên cạnh". */
    compounds: z.record(z.string(), Phrases).default({}),
    /** Words that say how often, and nothing else. */
    how_often: Phrases,
    /** Words for people of one's house, where a household is asked about. */
    family: Phrases,
    /** Before somebody who is not the one who acts: "được nhà trường duyệt". */
    not_acting: Phrases,
    /** After words that ask, these make them mean all: "cái gì cũng ghi". */
    every: Phrases,
    /** Between two amounts that belong together. */
    plus: Phrases,
    /** Words for children, where the answers speak of them. */
    children: Phrases,
    /** Makes a question part of a sentence: "hỏi xem có thật không". */
    indirect: Phrases,
    /** No answer and no question: who says only this is asked again. */
    greeting: Phrases,
    /** Other people: what they do is no answer, unless the question speaks of them. */
    others: Phrases,
    /** Words that deny what follows at once. */
    negators: Phrases,
    /** Small words after a negation: "không có gì đâu". */
    after_negation: Phrases,
    /** Turn a denial into a part: "chưa biết hết", unless they only stress it: "không biết gì hết". */
    degree: Phrases,
    /** Doubt: no yes and no no. */
    hedge: Phrases,
    /** Conditions: nothing in such a text is an answer. */
    stop: Phrases,
    /** Abuse, only as written here: "cho" is not "chó". */
    abuse: Phrases,
    /** A question to us. */
    question: Phrases,
    /** What turns a message into a question when it ends it. */
    question_ends: Phrases,
    /** What may stand after the last word of a question. */
    question_after: Phrases,
    /** "có … không": the first word and the last. */
    question_around: z.array(z.tuple([z.string(), z.string()])).default([]),
    /** Wants a person, or does not know. */
    person: Phrases,
    /** Asks for help where it is no answer: "chưa biết". */
    perhaps_person: Phrases,
    yes: Phrases,
    no: Phrases,
    /** "à nhầm": only what follows counts. */
    regret: Phrases,
    /** Between two answers these take back the first: "số 3, à số 2". */
    remembering: Phrases,
    /** "1 mới đúng": only what stands just before counts. */
    truly: Phrases,
    /** "bấm nhầm 2": the answer that follows at once is the wrong one. */
    mistook: Phrases,
    /** "không phải": the answer that follows is denied. */
    deny: Phrases,
    /** "hàng ngày thì không": the answer before is denied. */
    deny_after: Phrases,
    or: Phrases,
    numbers: z.record(z.string(), z.number().int().nonnegative()).default({}),
    /** Words before the number of an answer: "số 2". */
    ordinal_before: Phrases,
    /** Words before the number of a question of the form: "câu 3". */
    question_before: Phrases,
    /** Wants to change an answer: "sửa câu 3". */
    edit: Phrases,
    /** After the question's number: "câu 3 sai". */
    wrong: Phrases,
    /** "câu 3 là 2": between the question's number and its new answer. */
    edit_becomes: Phrases,
    first: Phrases,
    last: Phrases,
    more_than: Phrases,
    at_least: Phrases,
    at_least_after: Phrases,
    less_than: Phrases,
    at_most: Phrases,
    about: Phrases,
    to: Phrases,
    /** Other words for the unit of a counting question. */
    units: z.record(z.string(), z.array(z.string())).default({}),
    /** Words before the name of a village. */
    village_before: Phrases,
    /** Frames around a name: "tôi tên là". */
    name_before: Phrases,
    birth_before: Phrases,
    age_after: Phrases,
    count_units: Phrases,
  })
  .strict()
export type LanguageLexicon = z.infer<typeof LanguageLexicon>

const Words = z.string().transform((text) => text.split(' '))

/** What is the name of a person: data of `flows/lexicon/names.json`. Words are parted by spaces. */
const Names = z
  .object({
    /** In no name, unless it begins with a family name: "Sùng Thị Không". */
    no_name: Words,
    /** No name begins with these, though they may stand within one: "Lò Văn Nhầm". What does so is asked back once. */
    no_beginning: Words,
    /** Everyday words without their marks: a text of nothing else is a sentence rather than a name. Asked back once, too. */
    bare: Words,
    /** Answers to the question before; each of their words is a name elsewhere. */
    answers: z.array(z.string()),
    /** Met in the mountain communes and in the whole country. After one of them any word may be a given name: Sao, Được, Biết. */
    family_names: Words,
    /** More often a family name than a word of the frame before a name: "vang" is Vàng, not "vâng". */
    never_bare: Words,
  })
  .strict()

/** All the data of understanding. The first language is tried first; all are always understood. */
export const Lexicon = z
  .object({
    words: WordTable,
    names: Names,
    languages: z.array(LanguageLexicon).min(1),
    /** Phrases used by name in others: `<often>`. */
    phrases: z.record(z.string().regex(/^[a-z_]+$/), z.array(z.string().min(1))),
  })
  .strict()
export type Lexicon = z.infer<typeof Lexicon>

/** The files of `flows/lexicon/` by name without ending, checked. Vietnamese comes first. */
export function parseLexicon(files: Readonly<Record<string, unknown>>): Lexicon {
  const { words, names, phrases, vi, ...others } = files
  return Lexicon.parse({ words, names, phrases, languages: [vi, ...Object.values(others)] })
}
