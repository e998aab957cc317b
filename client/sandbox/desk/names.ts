const NAMES = [
  'Ada Lovelace',
  'Bo Okafor',
  'Chiara Conti',
  'Dilnoza Karimova',
  'Emre Yılmaz',
  'Fatou Diallo',
  'Grace Wanjiru',
  'Hiro Tanaka',
  'Inés García',
  'Jonas Weber',
]

/** A name that no phone here has yet. */
export const nextName = (taken: string[]): string =>
  NAMES.find((name) => !taken.includes(name)) ?? `Customer ${taken.length + 1}`
