import type { InboundResult } from './generator.ts'
import { HelperProcess } from './helper-process.ts'
import type { Options } from './options.ts'
import { cpuMeter } from './process-stats.ts'
import { AGENTS, Product } from './product.ts'

export type Server = 'floor' | 'product'

/** Everything that takes part, each in a process of its own. */
export class Stage {
  readonly options: Options
  readonly product: Product
  readonly floor: HelperProcess
  readonly generator: HelperProcess
  readonly provider: HelperProcess
  readonly floorUrl: string
  /** The ten agents', at the product. */
  readonly tokens: string[]
  /** What went wrong; anything here fails the run. */
  readonly failures: string[] = []
  readonly #acknowledged: Record<Server, number> = { floor: 0, product: 0 }
  #runs = 0

  private constructor(
    given: Pick<Stage, 'options' | 'product' | 'floor' | 'generator' | 'provider' | 'floorUrl' | 'tokens'>,
  ) {
    this.options = given.options
    this.product = given.product
    this.floor = given.floor
    this.generator = given.generator
    this.provider = given.provider
    this.floorUrl = given.floorUrl
    this.tokens = given.tokens
  }

  static async set(options: Options): Promise<Stage> {
    const floor = new HelperProcess('floor')
    const generator = new HelperProcess('generator')
    const provider = new HelperProcess('provider')
    const { url: providerUrl } = await provider.ask<{ url: string }>('start')
    const { url: floorUrl } = await floor.ask<{ url: string }>('start', { providerUrl })
    const product = await Product.start(options.profile)
    await product.connect(providerUrl)
    await generator.ask('connect', {
      name: 'floor',
      url: floorUrl,
      webhookUrl: `${floorUrl}/webhook`,
      tokens: Array(AGENTS).fill(''),
    })
    const tokens = await product.agents()
    await generator.ask('connect', {
      name: 'product',
      url: product.node.url,
      webhookUrl: product.webhookUrl,
      tokens,
    })
    return new Stage({ options, product, floor, generator, provider, floorUrl, tokens })
  }

  /** A name for a run, that its messages begin with. */
  nextRun(): string {
    return `run${++this.#runs}`
  }

  pidOf(server: Server): number {
    return server === 'floor' ? this.floor.pid : this.product.node.pid
  }

  cpuMeter(server: Server): () => Record<string, number> {
    return cpuMeter({
      server: this.pidOf(server),
      generator: this.generator.pid,
      provider: this.provider.pid,
    })
  }

  /** One inbound run; every id has to be at every agent once, or the whole bench fails. */
  async inbound(
    server: Server,
    command: 'openLoop' | 'closedLoop',
    given: object,
  ): Promise<InboundResult & { cpu: Record<string, number> }> {
    const meter = this.cpuMeter(server)
    const result = await this.generator.ask<InboundResult>(command, {
      name: server,
      run: this.nextRun(),
      ...given,
    })
    const cpu = meter()
    const { errors, lost, doubled } = result
    if (errors + lost + doubled > 0)
      this.failures.push(`${server}, ${command}: ${errors} errors, ${lost} lost, ${doubled} doubled`)
    this.#acknowledged[server] += result.acknowledged
    return { ...result, cpu }
  }

  /** Counts what is stored against what was acknowledged. */
  async compareStored(): Promise<void> {
    const stored = {
      floor: (await this.floor.ask<{ inbound: number }>('counts')).inbound,
      product: (await this.product.conversations()).inbound,
    }
    for (const server of ['floor', 'product'] as const)
      if (stored[server] !== this.#acknowledged[server])
        this.failures.push(
          `${server}: ${this.#acknowledged[server]} webhooks acknowledged, ${stored[server]} messages stored`,
        )
  }

  /** For what was sent by other means than `inbound`. */
  noteAcknowledged(server: Server, count: number): void {
    this.#acknowledged[server] += count
  }

  async strike(): Promise<void> {
    this.generator.kill()
    this.floor.kill()
    this.provider.kill()
    await this.product.end()
  }
}
