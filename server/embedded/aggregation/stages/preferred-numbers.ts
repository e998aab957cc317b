import { CommandError } from '../../errors.ts'

/** A series of preferred numbers: the steps between one and ten, or the powers of two. */
export type Series = readonly number[] | 'powers of two'

const R5 = [10, 16, 25, 40, 63]
const R10 = [100, 125, 160, 200, 250, 315, 400, 500, 630, 800]
const R20 = [
  100, 112, 125, 140, 160, 180, 200, 224, 250, 280, 315, 355, 400, 450, 500, 560, 630, 710, 800, 900,
]
const R40 = [
  100, 106, 112, 118, 125, 132, 140, 150, 160, 170, 180, 190, 200, 212, 224, 236, 250, 265, 280, 300, 315,
  335, 355, 375, 400, 425, 450, 475, 500, 530, 560, 600, 630, 670, 710, 750, 800, 850, 900, 950,
]
const R80 = [
  103, 109, 115, 122, 128, 136, 145, 155, 165, 175, 185, 195, 206, 218, 230, 243, 258, 272, 290, 307, 325,
  345, 365, 387, 412, 437, 462, 487, 515, 545, 575, 615, 650, 690, 730, 775, 825, 875, 925, 975,
]
const E6 = [10, 15, 22, 33, 47, 68]
const E12 = [10, 12, 15, 18, 22, 27, 33, 39, 47, 56, 68, 82]
const E24 = [10, 11, 12, 13, 15, 16, 18, 20, 22, 24, 27, 30, 33, 36, 39, 43, 47, 51, 56, 62, 68, 75, 82, 91]
const SERIES: Readonly<Record<string, Series>> = {
  R5,
  R10,
  R20,
  R40,
  R80,
  '1-2-5': [10, 20, 50],
  E6,
  E12,
  E24,
  E48: exponential(48),
  E96: exponential(96),
  E192: exponential(192),
  POWERSOF2: 'powers of two',
}

/** The finer E series are the rounded powers they are named after. */
function exponential(count: number): number[] {
  return Array.from({ length: count }, (_, i) =>
    count === 192 && i === 185 ? 920 : Math.round(100 * 10 ** (i / count)),
  )
}

/** The series of a name. */
export function seriesNamed(name: string): Series {
  const series = Object.hasOwn(SERIES, name) ? SERIES[name] : undefined
  if (!series) throw new CommandError(40257, `Unknown rounding granularity '${name}'`)
  return series
}

/** The steps of a series scaled to the size of a number, and those on both sides. */
function steps(value: number, series: readonly number[]): number[] {
  const width = Math.floor(Math.log10(series[0] ?? 1))
  const power = Math.floor(Math.log10(value)) - width
  return [-1, 0, 1].flatMap((shift) => {
    const exponent = power + shift
    return series.map((step) => (exponent >= 0 ? step * 10 ** exponent : step / 10 ** -exponent))
  })
}

/** The next number of the series above a value. */
export function roundUp(value: number, series: Series): number {
  if (value === 0) return 0
  if (series === 'powers of two') return 2 ** (Math.floor(Math.log2(value)) + 1)
  return steps(value, series).find((step) => step > value) ?? value
}

/** The last number of the series below a value. */
export function roundDown(value: number, series: Series): number {
  if (value === 0) return 0
  if (series === 'powers of two') return 2 ** (Math.ceil(Math.log2(value)) - 1)
  return steps(value, series).findLast((step) => step < value) ?? value
}
