import { hash, verify } from '@node-rs/argon2'

/** argon2id with 19 MiB, two passes, as OWASP's password storage sheet advises; the library's default algorithm is id. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

export const hashPassword = (password: string): Promise<string> => hash(password, COST)

/** Takes as long for an account that does not exist as for one that does, so that time tells nobody which do. */
export async function passwordMatches(stored: string | undefined, given: string): Promise<boolean> {
  const matches = await verify(stored ?? (await nobodysHash()), given).catch(() => false)
  return stored !== undefined && matches
}

let nobodys: Promise<string> | undefined
const nobodysHash = (): Promise<string> => {
  nobodys ??= hashPassword('the password of nobody')
  return nobodys
}
