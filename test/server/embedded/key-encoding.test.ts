import fc from 'fast-check'
import { Binary, BSON, Decimal128, Double, Long, MaxKey, MinKey, ObjectId, Timestamp } from 'mongodb'
import { expect, it } from 'vitest'
import { compareValues } from '../../../server/embedded/bson/compare.ts'
import { decodeDocument, encodeDocument } from '../../../server/embedded/bson/plain.ts'
import { documentOf, get, type RawValue } from '../../../server/embedded/bson/raw.ts'
import { invert, keyOf } from '../../../server/embedded/indexes/key-encoding.ts'

/** Every value goes through real BSON. */
function bsonOf(value: unknown): RawValue {
  const raw = get(documentOf(Buffer.from(BSON.serialize({ value }, { ignoreUndefined: false }))), 'value')
  if (!raw) throw new Error('nothing was serialized')
  return raw
}

const edges = [
  0,
  -0,
  1,
  -1,
  0.1,
  2 ** 31,
  -(2 ** 31),
  2 ** 53,
  2 ** 53 + 2,
  Number.MAX_VALUE,
  Number.MIN_VALUE,
  Infinity,
  -Infinity,
  Number.NaN,
]
const number = fc.oneof(
  fc.constantFrom(...edges).map((each) => new Double(each)),
  fc.integer(),
  fc.double().map((each) => new Double(each)),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((each) => Long.fromBigInt(each)),
  fc.bigInt({ min: 2n ** 53n - 4n, max: 2n ** 53n + 4n }).map((each) => Long.fromBigInt(each)),
  fc
    .tuple(fc.integer(), fc.integer({ min: -20, max: 20 }))
    .map(([digits, exponent]) => Decimal128.fromString(`${digits}E${exponent}`)),
  fc
    .constantFrom(
      'NaN',
      'Infinity',
      '-Infinity',
      '1E6000',
      '-1E6000',
      '1E-6000',
      '0.1',
      '1',
      '9007199254740993',
      '0E5',
    )
    .map((text) => Decimal128.fromString(text)),
)
const leaf = fc.oneof(
  number,
  fc.string(),
  fc.constantFrom('', '\0', 'a\0', 'a', 'a\0b', 'é', '😀', '\uffff'),
  fc.boolean(),
  fc.constant(null),
  fc.date({ noInvalidDate: true }),
  fc.uint8Array({ minLength: 12, maxLength: 12 }).map((bytes) => new ObjectId(bytes)),
  fc.uint8Array({ maxLength: 4 }).map((bytes) => new Binary(bytes, (bytes[0] ?? 0) % 6)),
  fc.tuple(fc.nat(), fc.nat()).map(([t, i]) => new Timestamp({ t, i })),
  fc.constantFrom(/a/, /a/i, /ab/),
  fc.constant(new MinKey()),
  fc.constant(new MaxKey()),
)
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    leaf,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'ab', ''), tie('value'), { maxKeys: 3 }),
  ),
}))

it('orders keys as BSON orders values, both ways', () => {
  fc.assert(
    fc.property(value, value, (a, b) => {
      const left = bsonOf(a)
      const right = bsonOf(b)
      const order = Math.sign(compareValues(left, right))
      expect(Math.sign(keyOf(left).compare(keyOf(right)))).toBe(order)
      const [down, up] = [keyOf(left), keyOf(right)]
      invert(down, 0, down.length)
      invert(up, 0, up.length)
      expect(Math.sign(down.compare(up))).toBe(order === 0 ? 0 : -order)
    }),
    { seed: 7, numRuns: 3000 },
  )
})

it('orders numbers of different types by their value', () => {
  const ascending = [
    '-Infinity',
    '-1E6000',
    Long.MIN_VALUE,
    '-1.5',
    new Double(-1),
    '-1E-6000',
    0,
    '1E-6000',
    new Double(0.1),
    '0.1000000000000000055511151231257828',
    1,
    '9007199254740991',
    new Double(2 ** 53),
    Long.fromString('9007199254740993'),
    '9007199254740993.5',
    Long.fromString('9007199254740994'),
    Long.MAX_VALUE,
    new Double(1e300),
    '1E6000',
    'Infinity',
  ]
  const keys = ascending.map((each) =>
    keyOf(bsonOf(typeof each === 'string' ? Decimal128.fromString(each) : each)),
  )
  keys.forEach((key, i) => {
    if (i > 0) expect([i, key.compare(keys[i - 1] ?? key)]).toEqual([i, 1])
  })
  expect(keyOf(bsonOf(1))).toEqual(keyOf(bsonOf(Decimal128.fromString('1.00'))))
  expect(keyOf(bsonOf(Long.fromNumber(5)))).toEqual(keyOf(bsonOf(new Double(5))))
})

it('gives keys that may be joined: none is the beginning of another', () => {
  fc.assert(
    fc.property(value, value, (a, b) => {
      const left = keyOf(bsonOf(a))
      const right = keyOf(bsonOf(b))
      if (!left.equals(right)) expect(right.subarray(0, left.length).equals(left)).toBe(false)
    }),
    { seed: 8, numRuns: 2000 },
  )
})

it('decodes and encodes documents without changing what JavaScript can hold', () => {
  const plain = fc.dictionary(
    fc.string({ minLength: 1 }).filter((name) => !name.includes('\0')),
    fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null)),
  )
  fc.assert(
    fc.property(plain, (document) => {
      expect(decodeDocument(encodeDocument(document))).toEqual(document)
    }),
    { seed: 9, numRuns: 500 },
  )
})
