import type { Mark, TextContent } from '../../models/content.ts'

/**
 * WhatsApp's own formatting, to and from marks: `*bold*`, `_italic_`, `~strike~`, `` `code` ``, three backticks around a
 * block, `> ` before a quoted line. Markers stand at the edge of words; there is no way to escape them, and nothing for
 * underlined, hidden or linked words.
 * @see https://faq.whatsapp.com/539178204879377
 */

type Inline = 'bold' | 'italic' | 'strike'
const MARKERS: Readonly<Record<Inline, string>> = { bold: '*', italic: '_', strike: '~' }
const KINDS = new Map(Object.entries(MARKERS).map(([kind, marker]) => [marker, kind as Inline]))
const FENCE = '```'
const QUOTE = '> '

const isWord = (character: string | undefined): boolean =>
  character !== undefined && /[\p{L}\p{N}]/u.test(character)
const isSpace = (character: string | undefined): boolean => character === undefined || /\s/.test(character)

/** What somebody wrote on WhatsApp: the words alone, and their marks. */
export function fromMarkup(written: string): TextContent {
  const reading = new Reading()
  let at = 0
  for (let fence = written.indexOf(FENCE); fence >= 0; fence = written.indexOf(FENCE, at)) {
    const end = written.indexOf(FENCE, fence + FENCE.length)
    if (end < 0) break
    const block = written.slice(fence + FENCE.length, end)
    reading.lines(written.slice(at, fence))
    // Nothing between them: no block, but what they wrote.
    if (block.trim() === '') reading.words(FENCE + block + FENCE)
    else reading.marked('pre', () => reading.words(block))
    at = end + FENCE.length
  }
  reading.lines(written.slice(at))
  return reading.content()
}

/** Collects the words, and the marks by where they stand among them. */
class Reading {
  readonly #parts: string[] = []
  readonly #marks: Mark[] = []
  #length = 0
  #endsLine = true

  content(): TextContent {
    const marks = this.#marks.filter(({ start, end }) => start < end).sort(byPlace)
    return { type: 'text', text: this.#parts.join(''), ...(marks.length > 0 && { marks }) }
  }

  words(text: string): void {
    if (text === '') return
    this.#parts.push(text)
    this.#length += text.length
    this.#endsLine = text.endsWith('\n')
  }

  marked(kind: Mark['kind'], read: () => void): void {
    const start = this.#length
    read()
    this.#marks.push({ kind, start, end: this.#length })
  }

  lines(text: string): void {
    let at = 0
    while (at < text.length) {
      const newline = text.indexOf('\n', at)
      const end = newline < 0 ? text.length : newline
      const line = text.slice(at, end)
      if (this.#endsLine && line.startsWith(QUOTE))
        this.marked('quote', () => this.#line(line.slice(QUOTE.length)))
      else this.#line(line)
      if (newline >= 0) this.words('\n')
      at = end + 1
    }
  }

  #line(line: string): void {
    const starts: Partial<Record<Mark['kind'], number>> = {}
    let at = 0
    for (const { index, kind, opens } of pairsIn(line)) {
      this.words(line.slice(at, index))
      at = index + 1
      if (opens) starts[kind] = this.#length
      else this.#marks.push({ kind, start: starts[kind] ?? this.#length, end: this.#length })
    }
    this.words(line.slice(at))
  }
}

interface Marker {
  index: number
  kind: Inline | 'code'
  opens: boolean
}

/** The markers of a line that have their partner, in order. One pass, whatever the line. */
function pairsIn(line: string): Marker[] {
  const pairs: [open: number, close: number, kind: Marker['kind']][] = []
  const open: { kind: Inline; index: number }[] = []
  let ticks = line.includes('`')
  for (let index = 0; index < line.length; index++) {
    const character = line[index] ?? ''
    if (character === '`' && ticks) {
      const close = line.indexOf('`', index + 1)
      ticks = close >= 0
      if (close > index + 1) {
        pairs.push([index, close, 'code'])
        index = close
      }
      continue
    }
    const kind = KINDS.get(character)
    if (!kind) continue
    const opened = open.findIndex((one) => one.kind === kind)
    const [before, after] = [line[index - 1], line[index + 1]]
    if (opened < 0) {
      if (!isWord(before) && !isSpace(after) && after !== character) open.push({ kind, index })
    } else if (!isSpace(before) && !isWord(after) && before !== character) {
      pairs.push([open[opened]?.index ?? 0, index, kind])
      // What opened inside and did not close there is no marker: marks never cross.
      open.length = opened
    }
  }
  return pairs
    .flatMap(([start, end, kind]) => [
      { index: start, kind, opens: true },
      { index: end, kind, opens: false },
    ])
    .sort((one, other) => one.index - other.index)
}

/** Words and marks as WhatsApp wants them written; what it cannot show is shown without. */
export function toMarkup({ text, marks = [] }: Pick<TextContent, 'text' | 'marks'>): string {
  const literal = marks.filter(({ kind }) => kind === 'pre' || kind === 'code')
  const insertions = marks
    .filter((mark) => literal.includes(mark) || !literal.some((one) => overlap(one, mark)))
    .flatMap((mark) => insertionsOf(text, mark))
    .sort((one, other) => one.at - other.at || one.order - other.order)
  let written = ''
  let at = 0
  for (const insertion of insertions) {
    written += text.slice(at, insertion.at) + insertion.text
    at = insertion.at
  }
  return written + text.slice(at)
}

/** `order` decides between those at one place: what ends goes before what begins, the inner ends first and begins last. */
interface Insertion {
  at: number
  order: number
  text: string
}

function insertionsOf(text: string, mark: Mark): Insertion[] {
  switch (mark.kind) {
    case 'bold':
    case 'italic':
    case 'strike':
      return around(text, mark, MARKERS[mark.kind])
    case 'code':
      return text.slice(mark.start, mark.end).includes('`') ? [] : around(text, mark, '`')
    case 'pre':
      return pair(mark, FENCE)
    case 'quote':
      return lineStarts(text, mark).map((at) => ({ at, order: 0, text: QUOTE }))
    case 'link':
      return mark.url === undefined || text.slice(mark.start, mark.end) === mark.url
        ? []
        : [{ at: mark.end, order: -1, text: ` (${mark.url})` }]
    case 'underline':
    case 'spoiler':
      return []
  }
}

/** A marker holds within one line, between words, and touches what it marks. */
function around(text: string, mark: Mark, marker: string): Insertion[] {
  return linesIn(text, mark).flatMap(([from, to]) => {
    const line = text.slice(from, to)
    const start = from + (line.length - line.trimStart().length)
    const end = from + line.trimEnd().length
    const fits = start < end && !isWord(text[start - 1]) && !isWord(text[end])
    return fits ? pair({ ...mark, start, end }, marker) : []
  })
}

const RANKS: readonly Mark['kind'][] = ['quote', 'pre', 'bold', 'italic', 'strike', 'code']
const RANKED = RANKS.length + 1

function pair({ kind, start, end }: Mark, marker: string): Insertion[] {
  const rank = RANKS.indexOf(kind) + 1
  const length = (end - start) * RANKED
  // The shorter a mark, the more inside it is.
  return [
    { at: start, order: 1 + 1 / (1 + length - rank), text: marker },
    { at: end, order: -1 - 1 / (1 + length - rank), text: marker },
  ]
}

function linesIn(text: string, { start, end }: Mark): [from: number, to: number][] {
  const lines: [number, number][] = []
  let from = start
  while (from < end) {
    const newline = text.indexOf('\n', from)
    const to = newline < 0 || newline > end ? end : newline
    lines.push([from, to])
    from = to + 1
  }
  return lines
}

const lineStarts = (text: string, mark: Mark): number[] =>
  linesIn(text, mark).map(([from]) => text.lastIndexOf('\n', from - 1) + 1)

const overlap = (one: Mark, other: Mark): boolean =>
  other.kind !== 'quote' && one.start < other.end && other.start < one.end

const byPlace = (one: Mark, other: Mark): number => one.start - other.start || other.end - one.end
