import { describe, expect, it } from 'vitest'
import { fetchesMedia, polls, probesAccount, registersWebhook, showsTyping } from '../../adapters/adapter.ts'
import { adapterFor, adapters, UnknownAdapter } from '../../adapters/registry.ts'
import { CHANNELS, PROVIDERS } from '../../models/channels.ts'

describe('the registry', () => {
  it('has one adapter for each provider on each of its channels', () => {
    const names = adapters().map(({ provider, channel }) => `${provider}/${channel}`)
    expect(names).toEqual([...new Set(names)])
    for (const { provider, channel } of adapters())
      expect(adapterFor(provider, channel)).toMatchObject({ provider, channel })
  })

  it('names providers and channels that there are', () => {
    for (const { provider, channel } of adapters()) {
      expect(PROVIDERS).toContain(provider)
      expect(CHANNELS).toContain(channel)
    }
  })

  it('says which there are where one is not', () => {
    expect(() => adapterFor('telegram', 'sms')).toThrow(UnknownAdapter)
    expect(() => adapterFor('telegram', 'sms')).toThrow(/There are: telegram \(telegram\), twilio \(sms\)/)
  })

  it('knows what each can do', () => {
    const [telegram, twilio] = [adapterFor('telegram', 'telegram'), adapterFor('twilio', 'sms')]
    const abilities = [showsTyping, fetchesMedia, registersWebhook, polls, probesAccount]
    expect(abilities.map((can) => can(telegram))).toEqual([true, true, true, true, true])
    expect(abilities.map((can) => can(twilio))).toEqual([false, true, true, false, true])
  })
})
