/** An answer, its body read. */
export interface Answer<T = Record<string, unknown>> {
  status: number
  headers: Headers
  body: T
}

interface Asked {
  token?: string | undefined
  headers?: Record<string, string>
  body?: unknown
  raw?: FormData | string | Uint8Array<ArrayBuffer>
}

/** One request; JSON unless `raw` is given. Never throws for a status. */
export async function request<T = Record<string, unknown>>(
  method: string,
  url: string,
  { token, headers, body, raw }: Asked = {},
): Promise<Answer<T>> {
  const sent = raw ?? (body === undefined ? undefined : JSON.stringify(body))
  const response = await fetch(url, {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...headers,
    },
    ...(sent === undefined ? {} : { body: sent }),
  })
  const text = await response.text()
  const isJson = /json/.test(response.headers.get('content-type') ?? '')
  return { status: response.status, headers: response.headers, body: (isJson ? JSON.parse(text) : text) as T }
}
