import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { ZaloConfig } from './config.ts'
import type { Deps } from './conversation/deps.ts'
import { createInvitation } from './registry/roles.ts'
import { SAMPLE_COMMUNE } from './registry/sample.ts'
import { findUnitByCode, listVillages } from './registry/units.ts'
import { phonePage } from './simulator/phone/plugin.ts'
import { createSimulator } from './simulator/simulator.ts'

/** The Zalo platform of the sample mode, and the phones that talk to it. */
export type Sample = {
  /** What the environment would say of a real account. */
  zalo: ZaloConfig
  /** Puts the phone page at `/`. */
  mount(http: FastifyInstance, deps: () => Deps): Promise<void>
  /** Tells the platform where the bot listens. */
  connect(url: string): Promise<void>
  close(): Promise<void>
}

const Credentials = z.object({ oaId: z.string(), appId: z.string(), appSecret: z.string(), oaSecretKey: z.string() })

/**
 * Starts a simulated Zalo on a free loopback port. Its accounts, tokens and chats are kept in DATA_DIR, so that a second start goes on
 * with the same data.
 */
export async function startSample(dataDir: string): Promise<Sample> {
  const credentials = loadCredentials(join(dataDir, 'simulator-account.json'))
  const simulator = await createSimulator({
    accounts: [
      {
        ...credentials,
        name: 'Hội Khuyến học xã Bình Lư',
        oaType: 2,
        verified: true,
        package: 'comprehensive',
        buttons: 'accepted',
      },
    ],
    journalFile: join(dataDir, 'simulator.jsonl'),
    // A bot that is restarted should hear soon what it missed
    retryLadderMs: [1_000, 2_000, 5_000, 10_000, 30_000],
    neverDisable: true,
  })
  const address = await simulator.platform.listen({ host: '127.0.0.1', port: 0 })
  const account = simulator.account(credentials.oaId)
  const tokens = account.mintTokens()

  return {
    zalo: { ...credentials, refreshToken: tokens.refresh_token, apiUrl: address, oauthUrl: address },
    async mount(http, deps) {
      await http.register(phonePage)
      await http.register(simulator.personApi, { prefix: '/phone' })
      registerSampleRoutes(http, deps)
    },
    async connect(url) {
      await account.saveWebhook(`${url}/webhooks/zalo`)
      await simulator.flush()
    },
    close: () => simulator.close(),
  }
}

/** An account of this folder's own, so that two sample installations never look the same. */
function loadCredentials(path: string): z.infer<typeof Credentials> {
  if (existsSync(path)) return Credentials.parse(JSON.parse(readFileSync(path, 'utf8')))
  const digits = () => `4${[...randomBytes(18)].map((byte) => byte % 10).join('')}`
  const made = { oaId: digits(), appId: digits(), appSecret: randomBytes(16).toString('hex'), oaSecretKey: randomBytes(16).toString('hex') }
  writeFileSync(path, JSON.stringify(made), { mode: 0o600 })
  return made
}

const Asked = z.object({ role: z.string(), unit: z.string() })

/** What the phone page needs of the sample commune: its villages, whom its phones stand for, and codes for roles. */
function registerSampleRoutes(http: FastifyInstance, deps: () => Deps): void {
  http.get('/sample/hints', async () => {
    const { db } = deps().database
    const commune = await findUnitByCode(db, SAMPLE_COMMUNE)
    if (!commune) return { commune: '', villages: [], phones: [] }
    const villages = await listVillages(db, commune.communeId)
    const first = villages[0]
    return {
      commune: commune.name,
      villages: villages.map((village) => ({ code: village.code, name: village.name })),
      phones: [
        {
          label: 'Người dân',
          role: null,
          unit: null,
          name: 'Lò Văn Pâng',
          hint: 'Nhắn “chào”, đồng ý, rồi trả lời mười câu. Thử: 2, hai, SỬA 3, XEM.',
        },
        { label: 'Chủ hộ', role: null, unit: null, name: 'Vàng Thị Mỷ', hint: 'Đăng ký làm chủ hộ, làm xong rồi nhắn GIA ĐÌNH.' },
        {
          label: 'Trưởng bản',
          role: 'village_lead',
          unit: first?.code ?? null,
          name: 'Lò Văn Ún',
          hint: 'Bấm “Gửi mã mời”, gửi mã, rồi nhắn THỐNG KÊ, CHƯA LÀM.',
        },
        {
          label: 'Cán bộ Hội Khuyến học xã',
          role: 'commune_reviewer',
          unit: commune.code,
          name: 'Nguyễn Thị Hoa',
          hint: 'Bấm “Gửi mã mời”, gửi mã, rồi nhắn THÔNG BÁO, CHIẾN DỊCH, NHẮC, THỐNG KÊ.',
        },
      ],
    }
  })
  http.post('/sample/invitations', async (request, reply) => {
    const asked = Asked.safeParse(request.body)
    if (!asked.success) return reply.status(400).send({ error: 'say role and unit' })
    const { database, sealer, randomInt, now } = deps()
    const outcome = await createInvitation(
      { db: database.db, sealer, randomInt },
      { role: asked.data.role, unitCode: asked.data.unit, invitedBy: null, now: now() },
    )
    if (outcome.type !== 'created') return reply.status(400).send({ error: outcome.type })
    return { code: outcome.code, text: `MÃ ${outcome.code}` }
  })
}
