import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative, sep } from 'node:path'

/** The root of the repository. */
export const ROOT = join(import.meta.dirname, '../..')

export const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')

/** The files under some folders, as paths from the root with slashes. */
export function filesIn(folders: readonly string[], pattern: RegExp = /\.tsx?$/): string[] {
  return folders.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && pattern.test(entry.name))
      .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)).split(sep).join('/')),
  )
}

/** The product's own folders. */
export const PRODUCT = ['adapters', 'models', 'server', 'client'] as const

/** One import of a file. */
export interface Import {
  /** A path from the root, or a package as it is spelled. */
  to: string
  ours: boolean
  /** Gone at run time. */
  typeOnly: boolean
}

/** What a file imports or re-exports, dynamic imports of a literal included. */
export function importsOf(file: string, source: string = read(file)): Import[] {
  const statements = source.matchAll(
    /^(?:import|export)\s+(type\s)?(?:[^'"`;]*?\sfrom\s+)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/gm,
  )
  return [...statements].map(([, type, still, dynamic]) => {
    const spelled = still ?? dynamic ?? ''
    const ours = spelled.startsWith('.')
    return {
      to: ours
        ? normalize(join(dirname(file), spelled))
            .split(sep)
            .join('/')
        : spelled,
      ours,
      typeOnly: type !== undefined,
    }
  })
}

export const folderOf = (path: string): string => path.split('/')[0] ?? ''

/** The source with comments and the text of strings blanked, so that a rule about code reads only code. */
export function codeOf(file: string): string {
  return read(file)
    .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '))
    .replace(/(^|[\s;{}(])\/\/[^\n]*/g, '$1')
}

/** `file:line` of every place a pattern occurs in the code of some files. */
export function placesOf(pattern: RegExp, files: readonly string[]): string[] {
  return files.flatMap((file) =>
    codeOf(file)
      .split('\n')
      .flatMap((line, index) => (pattern.test(line) ? [`${file}:${index + 1}`] : [])),
  )
}
