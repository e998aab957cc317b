import { connect, type NetConnectOpts } from 'node:net'
import { BSON } from 'mongodb'
import { crc32c } from '../../../../server/embedded/crc32c.ts'

const OP_MSG = 2013
const OP_REPLY = 1

/** A frame of MongoDB's wire protocol. */
export function frame(opcode: number, body: Buffer, requestId = 7): Buffer {
  const header = Buffer.alloc(16)
  header.writeInt32LE(16 + body.length, 0)
  header.writeInt32LE(requestId, 4)
  header.writeInt32LE(opcode, 12)
  return Buffer.concat([header, body])
}

/** A command as drivers send it; `after` are further sections. */
export function message(
  document: object,
  { flags = 0, requestId = 7, after = Buffer.alloc(0) as Buffer } = {},
): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32LE(flags, 0)
  return frame(OP_MSG, Buffer.concat([head, Buffer.from(BSON.serialize(document)), after]), requestId)
}

/** The message with its checksum behind it. */
export function withChecksum(bytes: Buffer): Buffer {
  const summed = Buffer.concat([bytes, Buffer.alloc(4)])
  summed.writeInt32LE(summed.length, 0)
  summed.writeUInt32LE(crc32c(summed, 0, bytes.length), bytes.length)
  return summed
}

/** Sends bytes and gathers answers until there are enough, or the connection ends. */
export function exchange(
  at: NetConnectOpts,
  bytes: Buffer,
  answers: number,
): Promise<{ documents: Record<string, unknown>[]; closed: boolean }> {
  return new Promise((resolve) => {
    const socket = connect(at)
    let received = Buffer.alloc(0)
    const documents: Record<string, unknown>[] = []
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk])
      while (received.length >= 16 && received.length >= received.readInt32LE(0)) {
        const length = received.readInt32LE(0)
        const start = received.readInt32LE(12) === OP_REPLY ? 36 : 21
        documents.push(BSON.deserialize(received.subarray(start, length)))
        received = received.subarray(length)
      }
      if (documents.length < answers) return
      resolve({ documents, closed: false })
      socket.destroy()
    })
    socket.on('close', () => resolve({ documents, closed: true }))
    socket.on('error', () => undefined)
    socket.write(bytes)
  })
}
