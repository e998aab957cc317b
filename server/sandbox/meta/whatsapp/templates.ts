import type { BubbleContent } from '../../protocol.ts'
import { GraphRefusal } from '../errors.ts'
import type { Send } from './shapes.ts'

interface Component {
  type: 'HEADER' | 'BODY' | 'FOOTER' | 'BUTTONS'
  format?: 'TEXT' | 'IMAGE'
  text?: string
  buttons?: { type: 'QUICK_REPLY'; text: string }[]
}
interface Template {
  id: string
  name: string
  language: string
  status: 'APPROVED' | 'PENDING'
  category: 'UTILITY' | 'MARKETING'
  parameter_format: 'POSITIONAL' | 'NAMED'
  components: Component[]
}

/** What the account has had approved, and one that waits. */
export const TEMPLATES: readonly Template[] = [
  {
    id: '1001',
    name: 'order_ready',
    language: 'en',
    status: 'APPROVED',
    category: 'UTILITY',
    parameter_format: 'POSITIONAL',
    components: [
      { type: 'BODY', text: 'Hello {{1}}, your order {{2}} is ready to be picked up.' },
      { type: 'FOOTER', text: 'Nexus Café' },
    ],
  },
  {
    id: '1002',
    name: 'may_we_call',
    language: 'en',
    status: 'APPROVED',
    category: 'UTILITY',
    parameter_format: 'NAMED',
    components: [
      {
        type: 'BODY',
        text: 'Hello {{first_name}}, we would like to come back to you about {{subject}}. May we?',
      },
      {
        type: 'BUTTONS',
        buttons: [
          { type: 'QUICK_REPLY', text: 'Yes, please' },
          { type: 'QUICK_REPLY', text: 'Not now' },
        ],
      },
    ],
  },
  {
    id: '1003',
    name: 'menu_of_the_week',
    language: 'en',
    status: 'APPROVED',
    category: 'MARKETING',
    parameter_format: 'POSITIONAL',
    components: [
      { type: 'HEADER', format: 'IMAGE' },
      { type: 'BODY', text: 'This is what we cook this week.' },
    ],
  },
  {
    id: '1004',
    name: 'table_reserved',
    language: 'en',
    status: 'PENDING',
    category: 'UTILITY',
    parameter_format: 'POSITIONAL',
    components: [{ type: 'BODY', text: 'Your table is reserved for {{1}}.' }],
  },
]

/** What the person reads. @throws GraphRefusal as WhatsApp would */
export function templateContent({ name, language, components }: Asked): BubbleContent {
  const template = TEMPLATES.find((one) => one.name === name && one.language === language.code)
  if (template?.status !== 'APPROVED')
    throw new GraphRefusal(404, 132001, 'Template name does not exist in the translation')
  const body = template.components.find(({ type }) => type === 'BODY')?.text ?? ''
  const blanks = [...body.matchAll(/\{\{(\w+)\}\}/g)].map(([, blank]) => blank ?? '')
  const given = components.find(({ type }) => type.toLowerCase() === 'body')?.parameters ?? []
  if (given.length !== blanks.length)
    throw new GraphRefusal(400, 132000, 'Number of parameters does not match the expected number of params')
  const text = blanks.reduce((filled, blank, index) => {
    const value = given.find(({ parameter_name }) => parameter_name === blank) ?? given[index]
    if (template.parameter_format === 'NAMED' && value?.parameter_name !== blank)
      throw new GraphRefusal(400, 132012, 'Parameter format does not match format in the created template')
    return filled.replace(`{{${blank}}}`, value?.text ?? '')
  }, body)
  const buttons = template.components.find(({ type }) => type === 'BUTTONS')?.buttons
  return buttons
    ? {
        type: 'offer',
        as: 'buttons',
        text,
        choices: buttons.map((one) => ({ id: one.text, title: one.text })),
      }
    : { type: 'text', text }
}

type Asked = Extract<Send, { type: 'template' }>['template']
