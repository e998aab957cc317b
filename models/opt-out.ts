/**
 * Words by which a person shuts or reopens the door, where they are all that a message says. By language, after what
 * carriers and the CTIA ask for and what Twilio's Advanced Opt-Out knows in each.
 * @see https://help.twilio.com/articles/223134027
 */
const STOP: Record<string, string[]> = {
  en: ['STOP', 'STOPALL', 'STOP ALL', 'UNSUBSCRIBE', 'CANCEL', 'END', 'QUIT', 'OPTOUT', 'OPT OUT', 'REVOKE'],
  fr: ['ARRET', 'ARRÊT', 'ARRETER', 'ARRÊTER', 'DESABONNER', 'DÉSABONNER'],
  es: ['ALTO', 'PARAR', 'BAJA', 'CANCELAR SUSCRIPCION', 'CANCELAR SUSCRIPCIÓN'],
  pt: ['PARE', 'PARAR', 'SAIR', 'DESCADASTRAR'],
  de: ['STOPP', 'ABMELDEN', 'ABBESTELLEN'],
  it: ['FERMA', 'DISISCRIVIMI'],
  sw: ['ACHA', 'SIMAMA', 'SITAKI', 'ONDOA'],
  ar: ['توقف', 'إيقاف', 'ايقاف', 'الغاء', 'إلغاء'],
}
const START: Record<string, string[]> = {
  en: ['START', 'UNSTOP', 'SUBSCRIBE', 'OPTIN', 'OPT IN', 'RESUME'],
  fr: ['DEMARRER', 'DÉMARRER', 'REPRENDRE', 'ABONNER'],
  es: ['EMPEZAR', 'ALTA', 'INICIAR'],
  pt: ['INICIAR', 'VOLTAR', 'CADASTRAR'],
  de: ['STARTEN', 'ANMELDEN'],
  it: ['INIZIA', 'ISCRIVIMI'],
  sw: ['ANZA', 'ENDELEA'],
  ar: ['ابدأ', 'اشتراك', 'بدء'],
}

const wordsOf = (lists: Record<string, string[]>): ReadonlySet<string> => new Set(Object.values(lists).flat())
const STOPS = wordsOf(STOP)
const STARTS = wordsOf(START)

/** What a text asks for, if it asks for nothing else. Case, surrounding spaces and closing punctuation do not count. */
export function consentIn(text: string): 'stop' | 'start' | null {
  const word = text
    .normalize('NFC')
    .replace(/^[\s"'“”«»]+|[\s.!"'“”«»؟]+$/gu, '')
    .replace(/\s+/g, ' ')
    .toUpperCase()
  if (STOPS.has(word)) return 'stop'
  return STARTS.has(word) ? 'start' : null
}
