import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

/** A secret at rest: readable only with the key it names and in the place it was sealed for. */
export interface Sealed {
  /** Which key; older ones still open after a rotation. */
  key: string
  iv: string
  tag: string
  text: string
}

/** The key is not among ours, or the secret was moved from the place it was sealed for. */
export class CannotOpen extends Error {
  override name = 'CannotOpen'
}

/**
 * Seals provider credentials with AES-256-GCM. `place` (collection, field, id) is authenticated with the text, so a sealed
 * value copied to another document does not open there. The first secret seals; all of them open, which is what makes
 * rotation possible: put the new secret first, keep the old ones until everything was sealed again.
 */
export class Vault {
  readonly #keys = new Map<string, Buffer>()
  readonly #current: string

  constructor(secrets: readonly string[]) {
    for (const secret of secrets) {
      const key = Buffer.from(hkdfSync('sha256', secret, 'nexus-inbox', 'vault', 32))
      const id = Buffer.from(hkdfSync('sha256', secret, 'nexus-inbox', 'vault-key-id', 6)).toString(
        'base64url',
      )
      this.#keys.set(id, key)
    }
    const [first] = this.#keys.keys()
    if (!first) throw new Error('a vault needs a secret')
    this.#current = first
  }

  seal(value: unknown, place: string): Sealed {
    const iv = randomBytes(12)
    const cipher = createCipheriv('aes-256-gcm', this.#key(this.#current), iv).setAAD(Buffer.from(place))
    const text = Buffer.concat([cipher.update(JSON.stringify(value), 'utf8'), cipher.final()])
    return {
      key: this.#current,
      iv: iv.toString('base64'),
      tag: cipher.getAuthTag().toString('base64'),
      text: text.toString('base64'),
    }
  }

  open(sealed: Sealed, place: string): unknown {
    const decipher = createDecipheriv('aes-256-gcm', this.#key(sealed.key), Buffer.from(sealed.iv, 'base64'))
    decipher.setAAD(Buffer.from(place)).setAuthTag(Buffer.from(sealed.tag, 'base64'))
    try {
      const text = Buffer.concat([decipher.update(Buffer.from(sealed.text, 'base64')), decipher.final()])
      return JSON.parse(text.toString('utf8'))
    } catch {
      throw new CannotOpen(`what is sealed at ${place} was changed or moved`)
    }
  }

  /** True where a newer key than the one it was sealed with is current. */
  isStale(sealed: Sealed): boolean {
    return sealed.key !== this.#current
  }

  #key(id: string): Buffer {
    const key = this.#keys.get(id)
    if (!key)
      throw new CannotOpen('sealed with a SECRET_KEY that is not configured; add the old one after a comma')
    return key
  }
}
