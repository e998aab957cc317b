import { execFileSync } from 'node:child_process'
import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** A program that the tests run, and the Debian package it comes in. */
interface Program {
  names: string[]
  package: string
}

const PROGRAMS: Record<'redis' | 'chromium', Program> = {
  redis: { names: ['redis-server'], package: 'redis-server' },
  chromium: { names: ['chromium', 'chromium-browser', 'google-chrome'], package: 'chromium' },
}

/** The path of a program, installed now where that is allowed to us; otherwise an error with the command that does it. */
export function find(which: keyof typeof PROGRAMS): string {
  const { names, package: packageName } = PROGRAMS[which]
  const found = lookUp(names)
  if (found) return found
  const command = `apt-get install -y ${packageName}`
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    console.log(`The tests need ${names[0]}; installing it: ${command}`)
    const quiet = { stdio: 'ignore', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } } as const
    execFileSync('apt-get', ['update', '-q'], quiet)
    execFileSync('apt-get', ['install', '-y', '-q', '--no-install-recommends', packageName], quiet)
    const installed = lookUp(names)
    if (installed) return installed
  }
  throw new Error(
    `The tests need ${names[0]}, and it is not on this machine. Install it with: sudo ${command}`,
  )
}

function lookUp(names: string[]): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter)
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
