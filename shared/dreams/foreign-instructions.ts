/**
 * Orders to an agent in other languages than English: the same kinds as in `instructions.ts`, for the
 * languages in which injected instructions are most often met. `\b` knows ASCII letters only, so
 * words of other scripts stand without it.
 */
export const foreign_orders: readonly RegExp[] = [
  // German
  /\b(?:ignorier\w*|missacht\w*|vergiss|vergessen sie|umgeh\w*)\b[^.\n]{0,60}\b(?:\w*anweisung\w*|regel\w*|vorgabe\w*|richtlinie\w*|sicherheits\w*)/iu,
  /(?<!\p{L})ohne[^.\n]{0,20}(?:rückfrage|nachfrage|zu fragen|nachzufragen|zustimmung|bescheid zu (?:sagen|geben)|(?:nutzer|benutzer|anwender)\p{L}* zu (?:informieren|fragen))/iu,
  /(?<!\p{L})(?:sag|sagen|teil|teile|erzähl|erzähle|verrate|melde)\p{L}*[^.\n]{0,30}(?:nutzer|benutzer|anwender|niemand)\p{L}*[^.\n]{0,20}(?:nichts|nicht|davon)|\bverheimlich\w*|\bverschweig\w*/iu,
  /\b(?:hinweis|nachricht|anweisung|achtung|wichtig)\b[^.\n]{0,20}(?:\ban\b|\bfür\b)[^.\n]{0,12}\b(?:ki|assistent\w*|agent\w*|sprachmodell\w*|chatbots?)\b/iu,
  // French
  /\b(?:ignore[zr]?|oublie[zr]?|contourne[zr]?)\b[^.\n]{0,60}(?:instructions?|consignes?|règles?|directives?)/iu,
  /\bsans\b[^.\n]{0,20}(?:prévenir|informer|demander|avertir|consulter)/iu,
  /(?:\bnote|message|attention)\b[^.\n]{0,12}\b(?:aux?|pour|des)\b[^.\n]{0,12}\b(?:assistants?|agents?|ia|modèles?)\b/iu,
  // Spanish and Portuguese
  /\b(?:ignor[ae][nr]?|olvid[ae][nr]?|esqueç[ae]m?|desconsider[ae]m?)\b[^.\n]{0,60}(?:instruccion\w*|instruç\p{L}*|reglas?|regras?|indicacion\w*)/iu,
  /\b(?:sin|sem)\b[^.\n]{0,20}\b(?:pedir|preguntar|perguntar|avisar|informar|solicitar|consultar)\b/iu,
  /(?:instrucci[oó]n|instrução|nota|mensaje|mensagem|aviso)\p{L}*[^.\n]{0,12}\b(?:para|al?)\b[^.\n]{0,12}\b(?:asistente|assistente|agente|ia|modelo)s?\b/iu,
  // Italian and Dutch
  /\b(?:ignora(?:te)?|dimentica(?:te)?|negeer|vergeet)\b[^.\n]{0,60}(?:istruzion\w*|regol\w*|instructies?|regels?)/iu,
  /\b(?:senza (?:chiedere|avvisare|informare)|zonder (?:te vragen|toestemming|iemand te))/iu,
  /\b(?:nota|messaggio|bericht|instructie)\b[^.\n]{0,12}\b(?:per|agli|aan|voor)\b[^.\n]{0,12}\b(?:assistent\w*|agent\w*|ia|ai)\b/iu,
  // Russian and Ukrainian
  /(?:игнорируй|забудь|обойди|не учитывай|ігноруй)[^.\n]{0,60}(?:инструкц|правил|указани|інструкц)/iu,
  /(?:без подтверждения|без разрешения|без согласия|без уведомления|не спрашивая)/iu,
  /не (?:говори|сообщай|рассказывай|показывай)[^.\n]{0,30}(?:пользовател|никому)/iu,
  /(?:инструкци|сообщени|примечани|внимани)\p{L}*[^.\n]{0,12}для[^.\n]{0,12}(?:ассистент|агент|ии(?!\p{L})|модел|бот)/iu,
  // Chinese and Japanese
  /(?:忽略|无视|忘记|绕过|忽視|無視)[^。\n]{0,20}(?:指令|指示|规则|規則|提示)/u,
  /(?:不要|别|無需|无需|不必|不得)[^。\n]{0,8}(?:告诉|告訴|通知|询问|告知)[^。\n]{0,6}(?:用户|用戶|任何人|他人)/u,
  /(?:致|给|給|对)[^。\n]{0,8}(?:人工智能|智能助手|助手|智能体|大模型|AI)/u,
  /(?:指示|命令|ルール|プロンプト)[^。\n]{0,10}(?:無視|忘れ)/u,
  /(?:ユーザー|利用者)に[^。\n]{0,6}(?:知らせ|伝え|言わ)(?:ず|ない)/u,
];

/** Said to whoever reads it: to remember, or to do from now on. */
export const foreign_tells: readonly RegExp[] = [
  /\b(?:merke? dir|merken sie sich|erinnere dich|von nun an|ab sofort|künftig|in zukunft)\b/iu,
  /(?:retene[zr]|retiens|souviens-toi|souvenez-vous|mémorise[zr]?|désormais|dorénavant|à partir de maintenant)/iu,
  /\b(?:recuerd[ae]|memori[zc][ae]|a partir de ahora|de ahora en adelante|lembre-se|a partir de agora|ricorda(?:te|ti)?|d'ora in poi|onthoud|vanaf nu)\b/iu,
  /(?:запомни|запам'ятай|отныне|с этого момента|впредь)/iu,
  /(?:记住|記住|牢记|从现在起|今后|以后都|覚えて|今後は|これからは)/u,
];
