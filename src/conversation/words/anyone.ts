import { and, desc, eq, or } from 'drizzle-orm'
import { consent } from '../../db/schema.ts'
import { openPrompt } from '../../engine/prompt.ts'
import { score } from '../../engine/score.ts'
import { fold } from '../../lib/fold.ts'
import { formatDate, vietnamTime } from '../../lib/vietnam-time.ts'
import { openTicket, waitingTickets } from '../../outreach/tickets.ts'
import { findNomination, loadNomination, type OpenNomination } from '../../recognition/nominations.ts'
import { findPerson } from '../../registry/helping.ts'
import { familyFigures, findHousehold } from '../../registry/people.ts'
import { rolesOf, takeUpInvitation } from '../../registry/roles.ts'
import { getUnit, unitTitle } from '../../registry/units.ts'
import { ownConsents } from '../actions.ts'
import { answerLines, readForm } from '../answer-lines.ts'
import { changeContact } from '../contacts.ts'
import { nominationInHand, nominationOfYear, reopen } from '../edit-finished.ts'
import { findOtherAccount, joinByCode, offerLink } from '../join-chats.ts'
import { sayResult } from '../result.ts'
import { welcome } from '../route-input.ts'
import { feed, startFlow } from '../run-session.ts'
import { setStatus } from '../sessions.ts'
import { helps, isFormForAnother, subjectOf, titleOf } from '../subject.ts'
import { activeSession, offer, say, type Turn, wordUsers } from '../turn.ts'

/** Flows that are a short side matter: whoever asks for something else has left them. */
const SIDE_FLOWS = new Set([
  'erase',
  'erase-whose',
  'assist-next',
  'voice-language',
  'language',
  'word-or-answer',
  'invite',
  'profile',
  'which-year',
  'ticket-reply',
])

/** What follows MÃ when a code is wanted rather than given: "MÃ TELEGRAM". */
const CHANNEL_NAMES: ReadonlySet<string> = new Set(['zalo', 'telegram'])

/** MENU: what can be said here, by role. */
export async function menu(turn: Turn): Promise<void> {
  say(turn, turn.person ? 'menu.registered' : 'menu.anyone')
  const users = wordUsers(turn)
  if (users.includes('village_lead') || users.includes('officer')) say(turn, 'menu.leader')
  if (users.includes('officer')) say(turn, 'menu.officer')
  const other = turn.person && (await findOtherAccount(turn))
  if (other) say(turn, 'link.menu', { channel: { key: `channel.${other.channel}` }, word: other.channel.toUpperCase() })
  const waiting = await waitingTickets(turn)
  if (waiting.length > 0) offer(turn, 'tickets_0', 'list', 'ticket.waiting_n', { total: waiting.length })
  await remind(turn)
}

/** BẮT ĐẦU: goes on where the person stands, or begins. */
export async function start(turn: Turn): Promise<void> {
  await leaveSideMatters(turn)
  const live = activeSession(turn)
  if (live) return feed(turn, { type: 'resume' })
  if (!turn.person) return welcome(turn)
  const { month, day, year } = vietnamTime(turn.now)
  const { day: lastDay, month: lastMonth } = correctionsEnd(turn)
  if (month === lastMonth && day <= lastDay) return startFlow(turn, 'which-year', { last_year: year - 1, this_year: year })
  const nomination = await nominationOfYear(turn)
  if (nomination?.row.status === 'da_tu_danh_gia') {
    await sayNomination(turn, nomination)
    return
  }
  return startFlow(turn, 'cong-dan-hoc-tap')
}

/** Until when last year's form may still be put right: `cut.corrections`, "15/1". */
function correctionsEnd(turn: Turn): { day: number; month: number } {
  const [day = 0, month = 0] = (turn.commune?.settings.get('cut.corrections') ?? '').split('/').map(Number)
  return { day, month }
}

/** GIA ĐÌNH: the family's form, by its head. */
export async function family(turn: Turn): Promise<void> {
  await leaveSideMatters(turn)
  const { person } = turn
  if (!person) return welcome(turn)
  const open = turn.sessions.find((session) => session.loaded.flow.id === 'gia-dinh-hoc-tap')
  if (open) {
    const above = activeSession(turn)
    if (above && above.id !== open.id) await setStatus(turn, above, 'paused')
    if (open.status !== 'active') await setStatus(turn, open, 'active')
    return feed(turn, { type: 'resume' })
  }
  const home = person.householdId === null ? undefined : await findHousehold(turn.tx, person.communeId, person.householdId)
  const year = vietnamTime(turn.now).year
  const done =
    home && home.headPersonId === person.id
      ? await findNomination(turn.tx, { communeId: person.communeId, year, title: 'GDHT', subjectId: home.id })
      : undefined
  if (done?.row.status === 'da_tu_danh_gia') return sayNomination(turn, done)
  return startFlow(turn, 'gia-dinh-hoc-tap')
}

/** XEM: everything kept about the person. */
export async function view(turn: Turn): Promise<void> {
  const { person, tx } = turn
  if (!person) {
    say(turn, 'view.nothing')
    return remind(turn)
  }
  const [village, home, given] = [
    await getUnit(tx, person.villageId),
    person.householdId === null ? undefined : await findHousehold(tx, person.communeId, person.householdId),
    await tx
      .select({ decidedAt: consent.decidedAt })
      .from(consent)
      // Given in whichever of their chats
      .where(
        and(
          or(ownConsents(turn), and(eq(consent.communeId, person.communeId), eq(consent.personId, person.id))),
          eq(consent.decision, 'given'),
        ),
      )
      .orderBy(desc(consent.id))
      .limit(1),
  ]
  say(turn, 'view.person', {
    name: person.name,
    birth_year: person.birthYear,
    village: unitTitle(village),
    head: home?.headPersonId === person.id ? 'yes' : 'no',
    adults: home?.adults ?? 0,
    head_name: home?.headName ?? '',
    consent: given[0] ? formatDate(given[0].decidedAt) : '',
  })
  const nomination = await nominationOfYear(turn)
  if (nomination) {
    say(turn, 'view.answers', { year: nomination.row.year, lines: answerLines(turn, nomination) })
    await sayWhoHelped(turn, nomination)
  }
  const ofFamily =
    home && home.headPersonId === person.id
      ? await findNomination(tx, { communeId: person.communeId, year: vietnamTime(turn.now).year, title: 'GDHT', subjectId: home.id })
      : undefined
  if (ofFamily) say(turn, 'view.family_answers', { year: ofFamily.row.year, lines: answerLines(turn, ofFamily) })
  say(turn, 'view.rights')
  return remind(turn)
}

/** Who answered for the person, and when: it stands in the record. */
async function sayWhoHelped(turn: Turn, { row, answers }: OpenNomination): Promise<void> {
  const ids = new Set([...answers.values()].flatMap((item) => (item.helperPersonId === null ? [] : [item.helperPersonId])))
  if (row.helperPersonId !== null) ids.add(row.helperPersonId)
  if (ids.size === 0) return
  const known = await Promise.all([...ids].map((id) => findPerson(turn.tx, row.communeId, id)))
  const names = known.flatMap((item) => (item ? [item.person.name] : [])).join(', ')
  say(turn, 'view.helped_by', { names: names || 'none', date: formatDate(row.confirmedAt ?? row.openedAt) })
}

/** LÀM HỘ: answers for another person; a form begun for somebody goes on first. */
export async function assist(turn: Turn): Promise<void> {
  await leaveSideMatters(turn)
  if (!turn.person) {
    say(turn, 'assist.register_first')
    return activeSession(turn) ? feed(turn, { type: 'again' }) : welcome(turn)
  }
  const begun = turn.sessions.filter(isFormForAnother).sort((a, b) => b.id - a.id)[0]
  if (!begun) return startFlow(turn, 'assist')
  const above = activeSession(turn)
  if (above && above.id !== begun.id) await setStatus(turn, above, 'paused')
  if (begun.status !== 'active') await setStatus(turn, begun, 'active')
  return feed(turn, { type: 'resume' })
}

/** SỬA 3: another answer to question 3; without a number, of the form or of what was registered. */
export async function edit(turn: Turn, argument: string | undefined): Promise<void> {
  const number = argument === undefined ? undefined : Number.parseInt(argument, 10)
  if (number !== undefined && (await editJustHelped(turn, number))) return
  await leaveSideMatters(turn)
  const live = activeSession(turn)
  if (live?.state.form) return feed(turn, { type: 'edit', ...(number === undefined ? {} : { number }) })
  if (!turn.person) return live ? feed(turn, { type: 'again' }) : welcome(turn)
  if (number === undefined) return startFlow(turn, 'profile')
  const nomination = await nominationInHand(turn)
  if (!nomination) return start(turn)
  const opened = await reopen(turn, nomination)
  if (!opened) return say(turn, 'edit.not_possible')
  return feed(turn, { type: 'edit', number })
}

/** Right after answering for somebody, SỬA 3 is about their answers. */
async function editJustHelped(turn: Turn, number: number): Promise<boolean> {
  const after = activeSession(turn)
  if (after?.loaded.flow.id !== 'assist-next' || !after.subjectPersonId || after.nominationId === null) return false
  const nomination = await loadNomination(turn.tx, turn.contact.communeId, after.nominationId)
  const opened = nomination && (await reopen(turn, nomination, after.subjectPersonId))
  if (!opened) return false
  await feed(turn, { type: 'edit', number })
  return true
}

/** KẾT QUẢ: the result and what to do next. */
export async function result(turn: Turn): Promise<void> {
  const nomination = await nominationOfYear(turn)
  if (nomination) await sayNomination(turn, nomination)
  else say(turn, 'result.none')
  return remind(turn)
}

async function sayNomination(turn: Turn, nomination: OpenNomination): Promise<void> {
  const { row } = nomination
  // What was finished stays judged by the version it was finished in
  const own = turn.deps.content.sets.get(row.criteriaSet)
  const given = [...nomination.answers.values()].map((item) => [item.question, item.option] as const)
  const form = own ? { set: own, answers: Object.fromEntries(given) } : readForm(turn, nomination)
  if (!form || !turn.commune) return
  const { set, answers } = form
  const home = row.title === 'GDHT' ? await findHousehold(turn.tx, row.communeId, row.subjectId) : undefined
  const figures = home ? await familyFigures(turn.tx, home, row.year) : undefined
  const reckoned = score(set, answers, figures, turn.commune.settings.passRule(set))
  if (row.status === 'da_tu_danh_gia') return sayResult(turn, { row, set, result: reckoned, ...(figures ? { figures } : {}) })
  say(turn, 'result.incomplete', { answered: row.answered, asked: set.questions.filter((question) => question.source === 'asked').length })
}

/** NGÔN NGỮ */
export async function language(turn: Turn): Promise<void> {
  await leaveSideMatters(turn)
  return startFlow(turn, 'language')
}

/** DỪNG: no more messages we start. Answers to the person go on. */
export async function stop(turn: Turn): Promise<void> {
  await changeContact(turn, { stoppedAt: turn.contact.stoppedAt ?? turn.now })
  say(turn, 'stop.done')
}

/** NHẬN TIN */
export async function resume(turn: Turn): Promise<void> {
  await changeContact(turn, { stoppedAt: null })
  say(turn, 'stop.undone')
  return remind(turn)
}

/** XÓA: asks, then erases. */
export async function erase(turn: Turn): Promise<void> {
  const about = activeSession(turn)
  const subject = about && helps(about) ? await subjectOf(turn, about) : undefined
  // In the middle of another's form: theirs or one's own?
  if (subject) return startFlow(turn, 'erase-whose', { their: titleOf(turn, subject), _about: subject.id })
  await leaveSideMatters(turn)
  return startFlow(turn, 'erase')
}

/** CÁN BỘ: asks for a person. */
export async function person(turn: Turn): Promise<void> {
  if (activeSession(turn)) return feed(turn, { type: 'person' })
  await openTicket(turn, { kind: 'help', question: null })
  say(turn, 'engine.person_asked')
}

/** MÃ <code>: takes up the role of an invitation. */
export async function takeCode(turn: Turn, argument: string | undefined): Promise<void> {
  if (!argument) {
    say(turn, 'code.how')
    return remind(turn)
  }
  if (turn.person && CHANNEL_NAMES.has(fold(argument))) {
    await offerLink(turn)
    return remind(turn)
  }
  if (await joinByCode(turn, argument)) return remind(turn)
  const outcome = await takeUpInvitation(turn.tx, turn.deps.sealer, { contact: turn.contact, code: argument, now: turn.now })
  if (outcome.type === 'granted') {
    turn.roles = await rolesOf(turn.tx, turn.contact.id)
    // Whoever came to take up a role is not kept at the citizens' first question; BẮT ĐẦU asks it
    const live = activeSession(turn)
    if (live?.loaded.flow.id === 'welcome' && !turn.person) await setStatus(turn, live, 'ended')
    say(turn, 'code.granted', { role: { key: `role.${outcome.role}` }, unit: unitTitle(outcome.unit) })
    say(turn, 'menu.leader')
    if (wordUsers(turn).includes('officer')) say(turn, 'menu.officer')
  } else {
    say(turn, `code.${outcome.type}`)
  }
  return remind(turn)
}

/** What was open still is: one short line, so that nobody is lost after an aside. */
async function remind(turn: Turn): Promise<void> {
  const live = activeSession(turn)
  const prompt = live && openPrompt(live.loaded, live.state)
  if (!prompt) return
  if (prompt.progress) say(turn, 'remind.question', prompt.progress)
  else if (live.loaded.flow.id !== 'welcome' || Object.keys(live.state.vars).length > 0) say(turn, 'remind.open')
  else await feed(turn, { type: 'again' })
}

/** Leaves short side matters (erase? language?) that something else was asked over. */
async function leaveSideMatters(turn: Turn): Promise<void> {
  for (;;) {
    const live = activeSession(turn)
    // Nobody is named yet: there is nothing to go on with
    const unnamed = live?.loaded.flow.id === 'assist' && !helps(live)
    if (!live || !(unnamed || SIDE_FLOWS.has(live.loaded.flow.id))) return
    await setStatus(turn, live, 'ended')
    const beneath = turn.sessions.filter((session) => session.status === 'paused').sort((a, b) => b.id - a.id)[0]
    if (beneath) await setStatus(turn, beneath, 'active')
  }
}
