import express, { type Request, type RequestHandler, type Response, Router } from 'express'
import multer from 'multer'
import { ZodError } from 'zod'
import { answer } from '../faults.ts'
import { utf8Name } from '../files.ts'
import type { Stage } from '../stage.ts'
import type { Bot } from './bot.ts'
import { BotApiError, badRequest, errorOfStatus, notFound, unauthorized } from './errors.ts'
import { type MethodCall, methodsOf } from './methods.ts'
import { fileOfPath } from './parts.ts'

/** Bots may upload at most this. */
const UPLOAD_MAX_BYTES = 50 * 1_048_576

/** The Bot API over HTTP. @see https://core.telegram.org/bots/api#making-requests */
export function telegramRouter(bot: Bot, stage: Stage): Router {
  const router = Router()
  const methods = methodsOf(bot, stage)
  const { token } = stage.accounts.telegram
  const upload = multer({ limits: { fileSize: UPLOAD_MAX_BYTES, files: 1, fields: 50, fieldSize: 65_536 } })

  const authorize: RequestHandler = (request, response, next) => {
    const given = String(request.params.token)
    if (given === token) return next()
    refuse(response, /^\d+:[\w-]+$/.test(given) ? unauthorized() : notFound())
  }

  router.all(
    '/bot:token/:method',
    authorize,
    stage.faults.gate('telegram', isSend, (response, status, retryAfter) =>
      refuseWithStatus(response, status, retryAfter),
    ),
    express.json({ limit: '256kb' }),
    express.urlencoded({ extended: false, limit: '256kb' }),
    upload.any(),
    async (request, response) => {
      const method = methods[methodName(request)]
      if (!method) return refuse(response, notFound())
      try {
        answer(response, 200, { ok: true, result: await method(callOf(request)) })
      } catch (error) {
        refuse(response, refusalOf(error))
      }
    },
  )

  router.get('/file/bot:token/*path', authorize, (request, response) => {
    const path = [request.params.path].flat().join('/')
    const file = stage.files.get(fileOfPath(path) ?? '')
    if (!file) return refuse(response, notFound())
    response.type('application/octet-stream').send(file.bytes)
  })

  return router
}

const methodName = (request: Request): string => String(request.params.method).toLowerCase()

/** Not the calls that only ask or set something up. */
const isSend = (request: Request): boolean =>
  /^(send(?!chataction)|editmessage|setmessagereaction|deletemessage)/.test(methodName(request))

const callOf = ({ query, body, files }: Request): MethodCall => ({
  fields: { ...query, ...(typeof body === 'object' ? body : {}) },
  files: (Array.isArray(files) ? files : []).map(({ fieldname, originalname, mimetype, buffer }) => ({
    field: fieldname,
    name: utf8Name(originalname),
    mime: mimetype,
    bytes: buffer,
  })),
})

function refusalOf(error: unknown): BotApiError {
  if (error instanceof BotApiError) return error
  if (error instanceof ZodError) return badRequest(error.issues[0]?.message ?? 'invalid parameters')
  throw error
}

/** 502 to 504 come from what stands before the Bot API, which does not speak its language. */
function refuseWithStatus(response: Response, status: number, retryAfter: number | undefined): void {
  if (status >= 502 && status <= 504)
    response.status(status).type('html').send(`<html><body><h1>${status}</h1></body></html>`)
  else refuse(response, errorOfStatus(status, retryAfter))
}

function refuse(response: Response, error: BotApiError): void {
  const { retry_after } = error.parameters ?? {}
  if (retry_after !== undefined) response.set('retry-after', String(retry_after))
  response.status(error.code).json(error.body())
}
