import type { Role } from '../../models/agent.ts'

/** The people of every test. Kim and Noor answer, Sam supervises, Ines runs the workspace; Ada and Bo are customers. */
export const STAFF = {
  ines: { name: 'Ines', email: 'ines@shop.test', role: 'admin' },
  sam: { name: 'Sam', email: 'sam@shop.test', role: 'supervisor' },
  kim: { name: 'Kim', email: 'kim@shop.test', role: 'agent' },
  noor: { name: 'Noor', email: 'noor@shop.test', role: 'agent' },
} as const satisfies Record<string, { name: string; email: string; role: Role }>

export type Who = keyof typeof STAFF
export const PASSWORD = 'correct horse battery staple'
