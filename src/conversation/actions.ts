import { createHash } from 'node:crypto'
import { and, eq, isNull } from 'drizzle-orm'
import { consent, contact as contactTable } from '../db/schema.ts'
import type { Var } from '../engine/flow.ts'
import { vietnamTime } from '../lib/vietnam-time.ts'
import { type CriteriaSet, criteriaTextKey } from '../model/criteria.ts'
import { listArticles, takeArticle } from '../outreach/chat/articles.ts'
import { chooseAgain, leaveOutPeople, leaveOutSent, leaveOutVillages, takeGroup, takeVillages } from '../outreach/chat/audience.ts'
import {
  checkBroadcast,
  chooseNow,
  dropBroadcast,
  showBroadcast,
  startBroadcast,
  takeFile,
  takeNewText,
  takeWhen,
  testBroadcast,
} from '../outreach/chat/broadcast.ts'
import { openTicket, sendStaffAnswer } from '../outreach/tickets.ts'
import {
  createNomination,
  findNomination,
  loadNomination,
  moveAnswers,
  type OpenNomination,
  reckon,
  saveNomination,
  setAnswer,
} from '../recognition/nominations.ts'
import { findPerson } from '../registry/helping.ts'
import { changePerson, familyFigures, findHousehold, findTwins, type PersonFacts, registerPerson, setAdults } from '../registry/people.ts'
import { createInvitation } from '../registry/roles.ts'
import { getUnit, unitTitle } from '../registry/units.ts'
import {
  askErasureForOther,
  assistAfter,
  assistBegin,
  assistConsented,
  assistFind,
  assistForget,
  assistMore,
  assistRefused,
  assistRegister,
  assistStartAgain,
  assistTakeNext,
  assistTheir,
} from './assist.ts'
import { findOwnRecord, refuseRecord, showRecord, takeOverRecord } from './claim.ts'
import { formOf } from './edit-finished.ts'
import { erase } from './erase.ts'
import { findOtherAccount, offerLink } from './join-chats.ts'
import { sayResult } from './result.ts'
import { helps, subjectOf } from './subject.ts'
import { type LiveSession, type PersonRow, say, type Turn } from './turn.ts'
import { storeVoiceLanguage } from './voice.ts'

/** What a flow may have done by name. Each may run twice with the same outcome: all of a turn is one transaction. */
type Action = (turn: Turn, live: LiveSession, args: Record<string, Var>) => Promise<Record<string, Var>>

const actions: Record<string, Action> = {
  store_consent: storeConsent,
  ask_for_person: askForPerson,
  check_person: checkPerson,
  register,
  open_nomination: openNomination,
  confirm_nomination: confirmNomination,
  store_adults: storeAdults,
  load_profile: loadProfile,
  store_profile: storeProfile,
  offer_link: async (turn) => {
    await offerLink(turn)
    return {}
  },
  store_language: storeLanguage,
  invite,
  send_staff_answer: sendStaffAnswer,
  broadcast_check: checkBroadcast,
  broadcast_file: takeFile,
  broadcast_new_text: takeNewText,
  broadcast_choose_again: chooseAgain,
  broadcast_villages: takeVillages,
  broadcast_group: takeGroup,
  broadcast_without_villages: leaveOutVillages,
  broadcast_without_people: leaveOutPeople,
  broadcast_without_sent: leaveOutSent,
  broadcast_articles: listArticles,
  broadcast_article: takeArticle,
  broadcast_show: showBroadcast,
  broadcast_test: testBroadcast,
  broadcast_now: chooseNow,
  broadcast_when: takeWhen,
  broadcast_start: startBroadcast,
  broadcast_drop: dropBroadcast,
  assist_begin: assistBegin,
  assist_more: assistMore,
  assist_take_next: assistTakeNext,
  assist_find: assistFind,
  assist_their: assistTheir,
  assist_consented: assistConsented,
  assist_refused: assistRefused,
  assist_forget: assistForget,
  assist_start_again: assistStartAgain,
  assist_register: assistRegister,
  assist_after: assistAfter,
  ask_erasure_for_other: askErasureForOther,
  store_voice_language: storeVoiceLanguage,
  find_own_record: findOwnRecord,
  refuse_record: refuseRecord,
  take_over_record: takeOverRecord,
  show_record: showRecord,
  choose_year: async (turn, _live, args) => ({ year: vietnamTime(turn.now).year - Number(args.back) }),
  erase: async (turn) => {
    await erase(turn)
    return {}
  },
}

export const ACTION_NAMES: ReadonlySet<string> = new Set(Object.keys(actions))

/** Runs an action; what it returns are variables the flow goes on with. */
export function runAction(turn: Turn, live: LiveSession, name: string, args: Record<string, Var>): Promise<Record<string, Var>> {
  const action = actions[name]
  if (!action) throw new Error(`a flow asks for an action that does not exist: ${name}`)
  return action(turn, live, args)
}

/** The consent text somebody saw, told apart by its words: `welcome.1/vi/3f2a9c01`. */
export function consentVersion(
  turn: Pick<Turn, 'deps' | 'contact'>,
  live: Pick<LiveSession, 'loaded'>,
  key = 'welcome.consent.ask',
): string {
  const words = turn.deps.content.texts[turn.contact.language].raw(key) ?? ''
  const digest = createHash('sha256').update(words).digest('hex').slice(0, 8)
  return `${live.loaded.flow.id}.${live.loaded.flow.version}/${turn.contact.language}/${digest}`
}

async function storeConsent(turn: Turn, live: LiveSession, args: Record<string, Var>) {
  await turn.tx.insert(consent).values({
    communeId: turn.contact.communeId,
    contactId: turn.contact.id,
    textVersion: consentVersion(turn, live),
    decision: args.decision === 'given' ? 'given' : 'declined',
    channel: turn.account.channel,
    decidedAt: turn.now,
  })
  return {}
}

async function askForPerson(turn: Turn, live: LiveSession, args: Record<string, Var>) {
  await openTicket(turn, {
    kind: 'help',
    question: typeof args.question === 'string' ? args.question : null,
    personId: live.subjectPersonId,
  })
  return {}
}

async function checkPerson(turn: Turn, live: LiveSession) {
  const age = vietnamTime(turn.now).year - Number(live.state.vars.birth_year)
  return { _child: age < (turn.commune?.settings.get('age.minimum') ?? 0) }
}

export const GROUPS = { nguoi_dan: 1, lao_dong: 2, can_bo: 3 } as const
export type GroupKey = keyof typeof GROUPS
export const isGroup = (key: unknown): key is GroupKey => typeof key === 'string' && key in GROUPS
export const groupKey = (group: number): GroupKey => (Object.keys(GROUPS) as GroupKey[]).find((key) => GROUPS[key] === group) ?? 'nguoi_dan'

export function factsOf(vars: Record<string, Var>): PersonFacts {
  const group = vars.group
  if (!isGroup(group)) throw new Error('a flow registers somebody without a group')
  return {
    villageId: Number(vars.village),
    name: String(vars.name),
    birthYear: Number(vars.birth_year),
    address: String(vars.address),
    group: GROUPS[group],
    household: vars.head === 'co' ? { head: true, adults: Number(vars.adults) } : { head: false, headName: String(vars.head_name) },
  }
}

async function register(turn: Turn, live: LiveSession) {
  if (turn.person) {
    await storeProfile(turn, live)
    return {}
  }
  const { person, tallies } = await registerPerson(turn.tx, {
    communeId: turn.contact.communeId,
    facts: factsOf(live.state.vars),
    source: 'chat',
    registeredBy: null,
    now: turn.now,
  })
  turn.tallies.push(...tallies)
  turn.person = person
  turn.contact.personId = person.id
  await turn.tx.update(contactTable).set({ personId: person.id }).where(eq(contactTable.id, turn.contact.id))
  await turn.tx.update(consent).set({ personId: person.id }).where(ownConsents(turn))
  const twins = await findTwins(turn.tx, person)
  // Maybe the same person on another phone: an officer looks, the person is not bothered
  if (twins.length > 0) await openTicket(turn, { kind: 'help', question: 'twin' })
  return {}
}

/** What the one who writes agreed to for themself; what they read out to others is not among it. */
export const ownConsents = ({ contact }: Pick<Turn, 'contact'>) =>
  and(eq(consent.communeId, contact.communeId), eq(consent.contactId, contact.id), isNull(consent.helperPersonId))

async function openNomination(turn: Turn, live: LiveSession, args: Record<string, Var>) {
  const title = args.title === 'GDHT' ? 'GDHT' : 'CDHT'
  const person = await subjectOf(turn, live)
  if (!person) throw new Error('a form was opened by somebody who is not registered')
  const year = Number(live.state.vars.year ?? vietnamTime(turn.now).year)
  const group = groupKey(person.group)
  const home = person.householdId === null ? undefined : await findHousehold(turn.tx, person.communeId, person.householdId)
  if (title === 'GDHT') {
    if (!home || home.headPersonId !== person.id) return { _family: 'not_head', head_name: home?.headName ?? '' }
    if (home.adults === null) return { _family: 'no_adults' }
  }
  const set = formSetOf(live, title === 'GDHT' ? 'GDHT' : group)
  const subject = { communeId: person.communeId, year, title, subjectId: title === 'GDHT' ? (home?.id ?? 0) : person.id } as const
  const nomination =
    (await findNomination(turn.tx, subject)) ??
    (await createNomination(turn.tx, {
      ...subject,
      villageId: person.villageId,
      group: title === 'CDHT' ? person.group : null,
      criteriaSet: set.id,
      helperPersonId: null,
      channel: turn.account.channel,
      openedAt: turn.now,
    }))
  turn.nominations.set(nomination.row.id, nomination)
  live.nominationId = nomination.row.id
  await moveNomination(turn, nomination, set)
  if (title === 'CDHT') nomination.row.group = person.group
  // Begun before, by the person or by somebody for them: it goes on there
  if (nomination.answers.size > 0) live.state.form = formOf(set, nomination)
  const asked = set.questions.filter((question) => question.source === 'asked').length
  return { _family: 'ok', group, title, year, questions: asked }
}

function formSetOf(live: LiveSession, value: string) {
  for (const node of live.loaded.flow.nodes) {
    const id = node.kind === 'form' ? node.set.of[value] : undefined
    const set = id === undefined ? undefined : live.loaded.sets.get(id)
    if (set) return set
  }
  throw new Error(`flow ${live.loaded.flow.id}.${live.loaded.flow.version} has no criteria set for ${value}`)
}

/** Puts a form under another criteria set: a newer version, or the set of another group. Counted anew in this turn. */
export async function moveNomination(turn: Turn, nomination: OpenNomination, set: CriteriaSet): Promise<void> {
  turn.nominations.set(nomination.row.id, nomination)
  if (nomination.row.criteriaSet === set.id || !turn.commune) return
  moveAnswers(nomination, set, turn.deps.content.sets)
  const figures = nomination.row.title === 'GDHT' ? await figuresOf(turn, nomination) : undefined
  reckon(nomination, set, turn.commune.settings.passRule(set), { ...(figures ? { figures } : {}), now: turn.now })
}

/** The nomination a session works on, loaded once a turn. */
export async function nominationOf(turn: Turn, live: LiveSession): Promise<OpenNomination> {
  const id = live.nominationId
  if (id === null) throw new Error(`session ${live.id} answers without a nomination`)
  const known = turn.nominations.get(id) ?? (await loadNomination(turn.tx, turn.contact.communeId, id))
  if (!known) throw new Error(`there is no nomination ${id}`)
  turn.nominations.set(id, known)
  return known
}

/** Puts an answer of the open form in force. */
export async function storeAnswer(turn: Turn, live: LiveSession, question: string, option: string | null): Promise<void> {
  const nomination = await nominationOf(turn, live)
  const set = live.loaded.sets.get(live.state.form?.set ?? nomination.row.criteriaSet)
  if (!set) throw new Error(`criteria set ${nomination.row.criteriaSet} is gone`)
  const inForce = nomination.answers.get(question)
  if (helps(live)) {
    const subject = await findPerson(turn.tx, turn.contact.communeId, live.subjectPersonId ?? 0)
    // A helper never replaces what the person said themself, be it said meanwhile
    if (subject?.hasChat && (inForce?.source === 'self' || nomination.row.status === 'da_tu_danh_gia')) {
      if (live.state.form && inForce) live.state.form.answers[question] = inForce.option
      say(turn, 'assist.own_words')
      return
    }
    nomination.row.helperPersonId ??= turn.person?.id ?? null
  }
  const isInForce = setAnswer(nomination, set, question, option, {
    contactId: turn.contact.id,
    ...(helps(live) ? { source: 'helper', helperPersonId: turn.person?.id ?? null } : { source: 'self', helperPersonId: null }),
    saidAtMs: turn.saidAtMs,
    inOrder: turn.channel.abilities.orders === 'sequence',
    now: turn.now,
  })
  if (!isInForce) keepNewer(turn, live, nomination, question)
  await reckonNow(turn, live, nomination, false)
}

/** What arrived late changed nothing: the form here goes on with the answer in force, and the person is told which one that is. */
function keepNewer(turn: Turn, live: LiveSession, nomination: OpenNomination, question: string): void {
  const inForce = nomination.answers.get(question)
  if (!inForce || !live.state.form) return
  live.state.form.answers[question] = inForce.option
  say(turn, 'link.newer_kept', { answer: { key: criteriaTextKey(inForce.criteriaSet, question, inForce.option) } })
}

async function reckonNow(turn: Turn, live: LiveSession, nomination: OpenNomination, confirm: boolean) {
  const set = live.loaded.sets.get(live.state.form?.set ?? nomination.row.criteriaSet)
  if (!set || !turn.commune) throw new Error(`criteria set ${nomination.row.criteriaSet} is gone`)
  const figures = nomination.row.title === 'GDHT' ? await figuresOf(turn, nomination) : undefined
  const rule = turn.commune.settings.passRule(set)
  return { set, figures, result: reckon(nomination, set, rule, { ...(figures ? { figures } : {}), confirm, now: turn.now }) }
}

async function figuresOf(turn: Turn, nomination: OpenNomination) {
  const home = await findHousehold(turn.tx, nomination.row.communeId, nomination.row.subjectId)
  return home ? familyFigures(turn.tx, home, nomination.row.year) : undefined
}

async function confirmNomination(turn: Turn, live: LiveSession) {
  const nomination = await nominationOf(turn, live)
  const { set, figures, result } = await reckonNow(turn, live, nomination, true)
  const subject = await subjectOf(turn, live)
  await sayResult(turn, {
    row: nomination.row,
    set,
    result,
    ...(figures ? { figures } : {}),
    ...(helps(live) && subject ? { subject } : {}),
  })
  if (nomination.row.title === 'CDHT' && subject) await refreshFamily(turn, nomination, subject)
  return { result: result.passed ? 'dat' : 'chua_dat' }
}

async function storeAdults(turn: Turn, live: LiveSession) {
  if (turn.person?.householdId) await setAdults(turn.tx, turn.person.communeId, turn.person.householdId, Number(live.state.vars.adults))
  return {}
}

async function loadProfile(turn: Turn) {
  const { person, tx } = turn
  if (!person) throw new Error('a profile was opened by somebody who is not registered')
  const home = person.householdId === null ? undefined : await findHousehold(tx, person.communeId, person.householdId)
  const village = await getUnit(tx, person.villageId)
  return {
    name: person.name,
    birth_year: person.birthYear,
    village: person.villageId,
    village_label: unitTitle(village),
    address: person.address,
    group: groupKey(person.group),
    head: home?.headPersonId === person.id ? 'co' : 'khong',
    adults: home?.adults ?? 0,
    head_name: home?.headName ?? '',
    _linkable: (await findOtherAccount(turn)) !== undefined,
  }
}

async function storeProfile(turn: Turn, live: LiveSession) {
  if (!turn.person) return {}
  const before = turn.person
  const { person, tallies } = await changePerson(turn.tx, before, factsOf(live.state.vars), turn.now)
  turn.tallies.push(...tallies)
  turn.person = person
  if (before.villageId !== person.villageId || before.group !== person.group) {
    // The year under way goes with the person; earlier years stay where they were lived
    const year = vietnamTime(turn.now).year
    const own = await findNomination(turn.tx, { communeId: person.communeId, year, title: 'CDHT', subjectId: person.id })
    if (own) {
      own.row.villageId = person.villageId
      turn.nominations.set(own.row.id, own)
    }
    const home = person.householdId === null ? undefined : await findHousehold(turn.tx, person.communeId, person.householdId)
    const family =
      home?.headPersonId === person.id
        ? await findNomination(turn.tx, { communeId: person.communeId, year, title: 'GDHT', subjectId: home.id })
        : undefined
    if (family) {
      family.row.villageId = person.villageId
      turn.nominations.set(family.row.id, family)
    }
  }
  return {}
}

async function storeLanguage(turn: Turn, live: LiveSession) {
  const language = live.state.vars.language === 'en' ? 'en' : 'vi'
  turn.contact.language = language
  await turn.tx.update(contactTable).set({ language }).where(eq(contactTable.id, turn.contact.id))
  // What is written and what is heard are two choices; the second is asked where there is one
  return { voices: (await turn.deps.clips.languages()).length }
}

const INVITED_ROLES: Record<string, string> = { truong_ban: 'village_lead', chi_hoi_truong: 'chapter_lead', can_bo_hoi: 'commune_reviewer' }

async function invite(turn: Turn, live: LiveSession) {
  const { commune, deps } = turn
  if (!commune) return {}
  const role = INVITED_ROLES[String(live.state.vars.role)] ?? ''
  const villageId = live.state.vars.village
  const unit = villageId === undefined ? commune.unit : commune.villages.find((village) => village.id === Number(villageId))
  if (!unit) return {}
  const outcome = await createInvitation(
    { db: turn.tx, sealer: deps.sealer, randomInt: (below) => deps.randomInt(below) },
    { role, unitCode: unit.code, invitedBy: turn.contact.id, now: turn.now },
  )
  if (outcome.type === 'created')
    say(turn, 'invite.created', { code: outcome.code, role: { key: `role.${outcome.role}` }, unit: unitTitle(outcome.unit) })
  return {}
}

/** A family's form counts its learning citizens: it changes with them. */
export async function refreshFamily(turn: Turn, own: OpenNomination, person: PersonRow): Promise<void> {
  const { tx, commune } = turn
  if (!person.householdId || !commune) return
  const { year } = own.row
  const family = await findNomination(tx, { communeId: person.communeId, year, title: 'GDHT', subjectId: person.householdId })
  if (!family) return
  const set = turn.deps.content.sets.get(family.row.criteriaSet)
  const home = await findHousehold(tx, person.communeId, person.householdId)
  if (!set || !home) return
  // The figures are read from the rows: this person's own must be there first
  turn.tallies.push(...(await saveNomination(tx, own, turn.now)))
  reckon(family, set, commune.settings.passRule(set), { figures: await familyFigures(tx, home, year), now: turn.now })
  turn.nominations.set(family.row.id, family)
}
