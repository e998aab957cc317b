import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { z } from 'zod'

/** Everything the environment decides, read once. No other file looks at the environment. */
export interface Config {
  production: boolean
  port: number
  host: string | undefined
  /** Where the world reaches us, without a slash at the end; undefined until the port is known, where nothing was set. */
  publicUrl: string | undefined
  dataDir: string
  mongodbUri: string | undefined
  redisUrl: string | undefined
  /** The first one seals and signs; the others still open what they sealed. */
  secretKeys: [string, ...string[]]
  logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'
  sandbox: boolean
  /** `host:port` of providers that may be called though they are not on the internet. */
  allowedHosts: string[]
  adminEmail: string
  adminPassword: string | undefined
}

/** A setting is wrong: names it, what is wrong, and the cure. The process ends with code 78 (EX_CONFIG). */
export class WrongSetting extends Error {
  override name = 'WrongSetting'
}

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
const flag = z
  .enum(['on', 'off', 'true', 'false', '1', '0'])
  .transform((word) => ['on', 'true', '1'].includes(word))
const url = (protocols: string[], cure: string) =>
  z
    .string()
    .refine((text) => URL.canParse(text) && protocols.includes(new URL(text).protocol), { error: cure })

const SETTINGS = z.object({
  NODE_ENV: z.string().optional(),
  PORT: z.coerce.number({ error: 'give a port number, such as 3000' }).int().min(0).max(65_535).default(3000),
  HOST: z.string().optional(),
  PUBLIC_URL: url(
    ['http:', 'https:'],
    'give the whole address, such as https://inbox.example.com',
  ).optional(),
  DATA_DIR: z.string().default('./data'),
  MONGODB_URI: z
    .string()
    .regex(/^mongodb(\+srv)?:\/\//, 'give an address such as mongodb://db1,db2,db3/nexus?replicaSet=rs0')
    .optional(),
  REDIS_URL: url(['redis:', 'rediss:'], 'give an address such as redis://localhost:6379').optional(),
  SECRET_KEY: z
    .string()
    .transform((keys) => keys.split(',').map((key) => key.trim()))
    .refine((keys) => keys.every((key) => key.length >= 32), {
      error:
        'give at least 32 characters (openssl rand -base64 32); after a rotation the old one follows a comma',
    })
    .optional(),
  LOG_LEVEL: z.enum(LEVELS, { error: `give one of ${LEVELS.join(', ')}` }).default('info'),
  SANDBOX: flag.optional(),
  ALLOWED_HOSTS: z
    .string()
    .transform((hosts) => hosts.split(',').map((host) => host.trim()))
    .refine((hosts) => hosts.every((host) => /^[^\s/@]+:\d{1,5}$/.test(host)), {
      error: 'give host:port, several with commas between, such as bot-api.internal:8081',
    })
    .optional(),
  ADMIN_EMAIL: z.email({ error: 'give an e-mail address' }).default('admin@nexus.local'),
  ADMIN_PASSWORD: z.string().min(10, 'give at least 10 characters').optional(),
})

/** Reads and checks the settings. Throws {@link WrongSetting} that names every wrong one with its cure. */
export function readConfig(environment: NodeJS.ProcessEnv): Config {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''))
  const parsed = SETTINGS.safeParse(given)
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => `${String(issue.path[0])}: ${issue.message}`)
    throw new WrongSetting(lines.join('\n'))
  }
  const settings = parsed.data
  const production = settings.NODE_ENV === 'production'
  const dataDir = resolve(settings.DATA_DIR)
  return Object.freeze({
    production,
    port: settings.PORT,
    host: settings.HOST,
    publicUrl: settings.PUBLIC_URL?.replace(/\/+$/, ''),
    dataDir,
    mongodbUri: settings.MONGODB_URI,
    redisUrl: settings.REDIS_URL,
    secretKeys: secretsOf(settings.SECRET_KEY, dataDir, settings.MONGODB_URI !== undefined),
    logLevel: settings.LOG_LEVEL,
    sandbox: settings.SANDBOX ?? !production,
    allowedHosts: settings.ALLOWED_HOSTS ?? [],
    adminEmail: settings.ADMIN_EMAIL,
    adminPassword: settings.ADMIN_PASSWORD,
  })
}

/** One machine keeps its own secret beside its data; many machines must be given the same one. */
function secretsOf(given: string[] | undefined, dataDir: string, shared: boolean): [string, ...string[]] {
  const [first, ...rest] = given ?? []
  if (first) return [first, ...rest]
  if (shared)
    throw new WrongSetting(
      'SECRET_KEY: it is not set, and with MONGODB_URI every node needs the same one; give at least 32 characters (openssl rand -base64 32)',
    )
  const file = join(dataDir, 'secret.key')
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
    if (!existsSync(file))
      writeFileSync(file, randomBytes(32).toString('base64'), { mode: 0o600, flag: 'wx' })
    return [readFileSync(file, 'utf8').trim()]
  } catch (error) {
    throw new WrongSetting(
      `DATA_DIR: ${dataDir} cannot be written (${(error as Error).message}); give a folder that this user owns`,
    )
  }
}
