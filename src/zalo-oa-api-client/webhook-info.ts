import { z } from 'zod'
import type { SharedInfo } from './webhook-event.ts'

const text = z
  .union([z.string(), z.number()])
  .optional()
  .catch(undefined)
  .transform((value) => (value === undefined || value === '' ? undefined : String(value)))

const Info = z.object({
  name: text,
  phone: text,
  // Old generation
  address: text,
  district: text,
  city: text,
  // New generation, since the administrative units of 2025
  user_dob: text,
  gender: text,
  full_address: z.object({ user_city: text, user_ward: text, user_address: text }).optional().catch(undefined),
})

/** What a person shared by the form, from either generation of `user_submit_info`; empty fields are left out. */
export function readSharedInfo(value: unknown): SharedInfo {
  const info = Info.safeParse(value).data
  if (!info) return {}
  const found: Record<keyof SharedInfo, string | undefined> = {
    name: info.name,
    phone: info.phone,
    address: info.full_address?.user_address ?? info.address,
    district: info.district,
    ward: info.full_address?.user_ward,
    city: info.full_address?.user_city ?? info.city,
    birthDate: info.user_dob,
    gender: info.gender,
  }
  return Object.fromEntries(Object.entries(found).filter(([, field]) => field !== undefined))
}
