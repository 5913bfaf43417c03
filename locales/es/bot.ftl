# Every word a person reads in the chat. Keys are grouped by screen; values are escaped by the caller.

account = Cuenta
activate = Activar
back = Volver
cancel = Cancelar
cancel-message = Cancelar envío
change-recipient = Cambiar destinatario
change-text = Cambiar texto
change-time = Cambiar hora
choose = Elegir
confirm = Confirmar
copy = Copiar
create-account = Crear cuenta
delete = Eliminar
drop = Descartar
duplicate = Duplicar
edit = Editar
create-on-server = Crear una nueva en el servidor
delete-on-server = Eliminarla también en el servidor
keep-on = Dejar esos en { $name }
edit-field = Editar un campo
finished = Terminé
have-account = Ya tengo cuenta
help = Ayuda
home = Inicio
instances = Instancias
invite = Invitar
it-arrived = Ya llegó
language = Idioma
linked-chats = Chats vinculados
messages = Mensajes
new-instance = Nueva instancia
open-private = Abrir chat privado
password = Contraseña
pin-instance = Fijar instancia
region = Región
resume = Retomar
save = Guardar
save-activate = Guardar y activar
save-anyway = Guardar de todos modos
schedule-message = Programar mensaje
send-again = Enviar de nuevo
send-all = Enviar todos
send-now = Enviar ahora
test = Probar
test-again = Probar de nuevo
time-zone = Zona horaria
tomorrow-same-time = Mañana, misma hora
undo = Deshacer
unpin = Soltar (usar la activa)
unlink = Desvincular { $name }
delete-move = Pasar a la activa
delete-cancel = Cancelar los mensajes
delete-hold = Dejar los mensajes en espera
show-waiting = En espera ({ $count })
show-past = Anteriores ({ $count })
field-label = Nombre
field-url = Dirección
field-key = Clave de API
field-name = Nombre en el servidor
command-home = Inicio
command-schedule = Programar un mensaje
command-messages = Mensajes en espera y anteriores
command-instances = Sus números de WhatsApp
command-account = Cuenta, idioma y zona horaria
command-invite = Invitar a alguien
command-help = Cómo se usa
command-cancel = Salir de lo que está en curso
welcome = 👋 ¡Hola! Soy <b>ScheduleZAP</b>: cuido sus números de WhatsApp y envío sus mensajes a la hora que usted diga.
welcome-claim = 🔐 Este enlace es para el primer administrador. Cree su cuenta para hacerse cargo de este servidor.
welcome-invited = 💌 Le han invitado. Cree su cuenta para empezar.
welcome-invite-only = Para crear una cuenta aquí se necesita una invitación.
ask-username =
    👤 Elija un nombre de usuario: de 3 a 32 letras, números, <code>_</code>, <code>.</code> o <code>-</code>.
    Ejemplo: <code>ana.silva</code>
ask-password = 🔑 Ahora una contraseña para <b>{ $name }</b>: de 8 a 128 caracteres, difícil de adivinar. Borro su mensaje enseguida.
ask-login-name = 👤 ¿Cuál es su nombre de usuario?
ask-login-password = 🔑 ¿Y la contraseña? Borro su mensaje enseguida.
account-created = 🎉 Cuenta <b>{ $name }</b> creada. Ahora agregue su primer número en <b>Instancias</b>.
delete-yourself = ⚠️ No pude borrar su mensaje. Bórrelo usted, por seguridad.
in-group = Por seguridad solo trabajo en un chat privado.
secret-in-group = 🔐 Contraseñas y claves nunca en un grupo: no usé lo que se escribió aquí. Siga en el chat privado y, si era una de verdad, cámbiela.
send-as-text = Envíelo como texto, por favor.
home-title = 🏠 <b>ScheduleZAP</b> · { $name }
home-active = { $dot } Instancia activa: <b>{ $name }</b>
home-no-active = ⚪ Ninguna instancia activa: agregue o active una en <b>Instancias</b>.
home-waiting =
    { $count ->
        [0] 📭 Ningún mensaje en espera
        [one] 📨 1 mensaje en espera
       *[other] 📨 { $count } mensajes en espera
    }
help-text =
    ❓ <b>Cómo se usa</b>

    Envío mensajes de WhatsApp por su propio número, a la hora que usted diga, y le cuento aquí qué pasó con ellos.

    <b>1. Agregue un número:</b> /instancias → <b>Nueva instancia</b>. Pido un nombre, la dirección de su servidor Evolution API, la clave y el nombre de la instancia, y lo pruebo todo al momento.
    <b>2. Programe:</b> /programar pregunta para quién, qué y cuándo. O escríbalo todo en una línea:
    <code>mañana 9h para +34 612 345 678: ¡Buenos días!</code>
    <b>3. Confirme:</b> antes de programar le muestro el día y la hora tal como los entendí. Después se puede deshacer.

    <b>Cuándo:</b> <i>hoy 18h</i>, <i>viernes 10:30</i>, <i>en 2 horas</i>, <i>15/04 a las 9</i>, <i>cada lunes a las 8</i>.
    <b>Para cambiarlo:</b> responda a la tarjeta del mensaje con otra hora (<i>mañana 10h</i>), o con <i>cancela</i>.
    <b>Si algo falla</b> (WhatsApp desconectado, servidor caído), el mensaje espera y le digo qué hacer.

    /mensajes – lo que espera y lo que ya salió
    /instancias – sus números
    /cuenta – idioma, zona horaria, contraseña
    /cancelar – salir de lo que está en curso

    En cualquier pregunta, /ayuda explica ese paso.
help-stranger = ❓ Envío mensajes de WhatsApp a la hora que usted diga, por sus propios números (en un servidor Evolution API). Para empezar, cree una cuenta o entre en la suya: /start
help-leave = ↩️ Para salir: /cancelar. Lo que ya dijo queda como está hasta entonces.
help-username = ❓ El nombre de usuario identifica su cuenta en este servidor: con él y la contraseña puede entrar también desde otro Telegram. De 3 a 32 letras sin acento, números, <code>_</code>, <code>.</code> o <code>-</code>. Ejemplo: <code>ana.silva</code>
help-new-password = ❓ La contraseña protege su cuenta; guardo solo un resumen de ella, que no se puede leer de vuelta. De 8 a 128 caracteres. Un buen ejemplo: cuatro palabras que solo usted junta, como <code>jirafa lenta vende timbres</code> (no use esta). Borro su mensaje enseguida.
help-login-name = ❓ Escriba el nombre de usuario de la cuenta que ya tiene aquí. Ejemplo: <code>ana.silva</code>. Si aún no tiene cuenta, salga y toque <b>Crear cuenta</b>.
help-login-password = ❓ Escriba la contraseña de esa cuenta, exactamente como la creó: las mayúsculas y los espacios cuentan. Ejemplo de lo que se escribe: <code>cuatro palabras solo suyas</code>. Borro su mensaje enseguida. Tras varios errores hay que esperar un poco.
help-label = ❓ Este nombre es solo suyo: aparece en las listas y las tarjetas y se puede cambiar después. Ejemplo: <code>Tienda</code>
help-url = ❓ Es la dirección en la que responde su servidor Evolution API, con http:// o https:// y sin contraseña en ella. Suele ser la misma del panel, sin <code>/manager</code>. Ejemplo: <code>https://evolution.example.com</code>
help-key = ❓ Es la <code>apikey</code> de Evolution API: la de la instancia (en el panel, junto a su nombre) o la clave maestra del servidor (<code>AUTHENTICATION_API_KEY</code>). Ejemplo de cómo es: <code>B6D711FC-DE4D-4FD5-9365-44120E713976</code>. Borro su mensaje enseguida y guardo la clave cifrada.
help-name = ❓ Es el nombre que la instancia tiene en el servidor, con mayúsculas y minúsculas iguales a las del panel. Si hay botones con nombres, basta tocar uno. Ejemplo: <code>tienda</code>
help-new-name = ❓ Con este nombre se crea la nueva instancia en el servidor: letras sin acento, números, <code>_</code> o <code>-</code>. Ejemplo: <code>tienda</code>
help-summary = ❓ Probé lo que escribió: cada línea dice lo que encontré, y la primera que falla dice qué hacer. <b>Guardar</b> conserva la instancia, <b>Editar un campo</b> la corrige. Aquí se usan los botones; por ejemplo, <b>Probar de nuevo</b> cuando el servidor ya esté encendido.
help-to = ❓ Escriba para quién es el mensaje: un número con su prefijo, o con + y el código del país; varios, separados por coma o línea; o comparta un contacto. Ejemplo: <code>+34 612 345 678</code>
help-body = ❓ El próximo texto que escriba es el mensaje, tal como llega a WhatsApp; negrita, cursiva, tachado y mono se conservan. Un texto que empieza por / se lee como comando. Ejemplo: <code>¡Buenos días! Llegó su pedido.</code>
help-more = ❓ Telegram corta los textos largos en partes. Pegue la parte siguiente, o toque <b>Terminé</b> si ya está todo. Ejemplo: un texto de 6.000 caracteres son dos mensajes, y después <b>Terminé</b>.
help-when = ❓ Escriba el día y la hora, a su manera, o una repetición; vale la zona horaria de su cuenta. Antes de programar muestro cómo lo entendí. Ejemplo: <code>mañana 9h</code>
help-hour = ❓ El día ya está dicho: solo falta la hora. Ejemplo: <code>18:30</code>
help-every = ❓ Diga qué días se repite y a qué hora; puede tener un final. Ejemplo: <code>cada lunes a las 9 hasta el 31/12</code>
help-every-hour = ❓ La repetición ya está dicha: solo falta la hora. Ejemplo: <code>8:30</code>
help-confirm = ❓ Así sale el mensaje. <b>Confirmar</b> lo programa; los otros botones cambian una parte. Escribir otra hora también la cambia. Ejemplo: <code>mañana 10h</code>
help-zone = ❓ Por la zona horaria entiendo lo que dice de horas. Escriba una ciudad grande cercana, o el nombre de la zona. Ejemplo: <code>Madrid</code>
help-region = ❓ Por la región leo los números escritos sin código de país. Escriba el nombre del país o la sigla. Ejemplo: <code>ES</code>
help-old-password = ❓ Primero la contraseña de ahora, para que nadie más la cambie; después la nueva. Escríbala exactamente como la creó. Ejemplo de lo que se escribe: <code>cuatro palabras solo suyas</code>. Borro su mensaje enseguida.
needs-account = Para eso hay que entrar primero en una cuenta.
cancelled-message = ✖️ Cancelado. El borrador se descartó y no se programó nada.
cancelled-change = ✖️ Cancelado. Nada cambió: todo queda como estaba.
cancelled-instance = ✖️ Cancelado. La instancia no se guardó aquí.
cancelled-created = ✖️ Cancelado. La instancia no se guardó aquí, pero <b>{ $name }</b> ya fue creada en el servidor y sigue allí.
cancelled-sign-up = ✖️ Cancelado. No se creó ninguna cuenta.
cancelled-log-in = ✖️ Cancelado. No entró en ninguna cuenta.
store-fails = ⚠️ No puedo guardar nada en este momento: el disco está lleno o la base de datos no responde. Mientras tanto no se envía nada y nada se pierde: lo que dijo espera y respondo en cuanto vuelva.
store-works = 🟢 Ya puedo guardar de nuevo. Lo que esperaba sigue ahora.
apology = 😔 Algo salió mal de mi lado. No se perdió nada: intente de nuevo, o /menu.
unknown-command = No conozco ese comando. Vea /ayuda, o /cancelar para salir.
not-understood =
    No entendí. Para programar, escriba por ejemplo:
    <code>mañana 9h para +34 612 345 678: ¡Buenos días!</code>
draft-dropped = 🗑 El borrador que estaba abierto fue descartado.
nothing-to-cancel = No hay nada que cancelar.
use-the-keys = Use los botones de arriba, o /cancelar para salir.
account-title = 👤 <b>{ $name }</b> · { $role }
role-admin = administrador
role-user = usuario
account-language = 🌐 Idioma: { $language }
account-zone = 🕐 Zona horaria: { $zone } — ahora { $now }
account-region = 📞 Región de los números nacionales: { $region }
account-chats = 💬 Chats vinculados: { $count }
choose-language = 🌐 Elija el idioma:
language-changed = ✅ Idioma: Español.
ask-zone = 🕐 ¿Cuál es su ciudad o zona horaria? Escríbala (ejemplo: <code>Madrid</code>) o elija:
starts-with = 🕐 Entiendo las horas según la zona de { $zone }, donde ahora son las { $now }, y los números sin código de país como { $region }. Puede cambiarlo en <b>Cuenta</b>.
other-zone = Estoy en otra zona horaria
ask-first-zone = 🕐 <b>¿Dónde está usted?</b> Por su zona horaria entiendo <i>mañana 9h</i>, y por su país los números sin código. Escriba su ciudad (ejemplo: <code>Bogotá</code>) o elija:
keep-zone = Seguir con { $zone }
zone-changed = ✅ Zona horaria cambiada.
zone-not-found = No encontré “{ $said }”. Escriba una ciudad grande cercana, por ejemplo <code>Bogotá</code>.
ask-region = 📞 ¿De qué país son sus números nacionales? Escriba el nombre o la sigla, por ejemplo <code>ES</code>.
region-changed = ✅ Región: { $region }.
region-not-found = No conozco ese país. Escriba la sigla, por ejemplo <code>ES</code>.
ask-old-password = 🔑 ¿Cuál es la contraseña actual? Borro su mensaje enseguida.
ask-new-password = 🔑 ¿Y la nueva contraseña? De 8 a 128 caracteres.
password-changed = ✅ Contraseña cambiada. Los otros chats fueron desvinculados.
must-change-password = 🔐 Esta cuenta necesita una contraseña nueva antes de cualquier otra cosa.
must-change-password-toast = Primero elija una contraseña nueva.
chats-title = 💬 <b>Chats vinculados a esta cuenta</b>
unlink-ask = ¿Desvincular <b>{ $name }</b> de esta cuenta? Los mensajes y las instancias quedan.
unlinked = ✅ Chat desvinculado.
unlinked-here = ✅ Este chat fue desvinculado de la cuenta. Para volver: /start
invite-link =
    💌 Invitación para una persona, vale 7 días:
    { $link }
invite-not-you = Solo los administradores invitan. Pida una invitación a quien administra este servidor.
password-too-short = Demasiado corta: use al menos 8 caracteres, por ejemplo cuatro palabras que solo usted juntaría.
password-too-long = Demasiado larga: 128 caracteres como máximo, por ejemplo cuatro palabras que solo usted juntaría.
password-weak = Esa contraseña es fácil de adivinar. Use, por ejemplo, cuatro palabras que solo usted juntaría.
password-blank = La contraseña no puede empezar ni terminar con espacio, ni tener más de una línea.
password-same = La contraseña no puede ser el nombre de usuario.
password-unchanged = La nueva contraseña no puede ser la actual.
username-length = El nombre de usuario tiene de 3 a 32 caracteres. Ejemplo: <code>ana.silva</code>
username-characters = Use solo letras sin acento, números, <code>_</code>, <code>.</code> o <code>-</code>. Ejemplo: <code>ana.silva</code>
refusal-username-taken = Ese nombre de usuario ya existe. Elija otro.
refusal-wrong-password = Usuario o contraseña incorrectos.
old-password-wrong = Esa no es la contraseña actual.
refusal-throttled = Demasiados intentos. Intente de nuevo en { $span }.
refusal-busy = Estoy ocupado ahora. Intente de nuevo en unos segundos.
refusal-code-invalid = Ese enlace ya fue usado o venció. Pida otro a quien administra este servidor.
refusal-signup-closed = Este servidor no acepta cuentas nuevas.
refusal-needs-invite = Para crear una cuenta aquí se necesita una invitación. Pida el enlace a quien administra este servidor y ábralo.
refusal-disabled = Esta cuenta está suspendida. Hable con quien administra este servidor.
refusal-too-many-chats = Esta cuenta ya tiene demasiados chats. Desvincule uno en /cuenta.
refusal-already-exists = Ya la tiene: <b>{ $name }</b> es esa misma instancia en el mismo servidor.
refusal-too-many = Llegó al límite de { $limit }. Elimine algo primero.
refusal-changed = Eso cambió mientras tanto. Vea de nuevo en /mensajes.
refusal-being-sent = El mensaje se está enviando ahora.
refusal-already-sent = El mensaje ya fue enviado.
refusal-not-found = No encontré eso. Vea /menu.
toast-expired = Botón caducado. Use /menu.
toast-nothing-to-confirm = Ya no hay nada que confirmar. Vea /mensajes.
toast-changed = Eso cambió mientras tanto.
toast-being-sent = Se está enviando ahora.
toast-already-sent = Ya fue enviado.
toast-already-cancelled = Ya cancelado.
toast-nothing-late = Ya no hay nada atrasado.
instances-title = 📱 <b>Instancias</b>
instances-none = Ninguna todavía. Una instancia es un número de WhatsApp en su servidor Evolution API.
instances-count =
    { $count ->
        [0] Ninguno
        [one] 1 número
       *[other] { $count } números
    }
ask-label = 🏷 ¿Cómo quiere llamar a esta instancia? Ejemplo: <code>Tienda</code>
ask-url = 🌐 ¿Cuál es la dirección del servidor Evolution API? Ejemplo: <code>https://evolution.example.com</code>
ask-key = 🔑 ¿Cuál es la clave de API (<code>apikey</code>)? Borro su mensaje enseguida y guardo la clave cifrada.
ask-name = 📛 ¿Cuál es el nombre de la instancia en el servidor? Ejemplo: <code>tienda</code>
names-found = 📛 Encontré estas en el servidor. Elija una o escriba el nombre:
names-none = 📛 El servidor aún no tiene instancias. Cree una nueva, o escriba el nombre de una que exista.
ask-new-name = ➕ ¿Qué nombre tendrá la nueva instancia en el servidor? Letras sin acento, números, <code>_</code> o <code>-</code>. Ejemplo: <code>tienda</code>
name-not-creatable = Ese nombre no sirve para una instancia nueva: de 1 a 64 letras sin acento, números, <code>_</code> o <code>-</code>, empezando por letra o número. Ejemplo: <code>tienda-2</code>
creating = ➕ Creando <b>{ $name }</b> en el servidor…
create-taken = El servidor ya tiene una instancia <b>{ $name }</b>. Elija otro nombre.
create-refused = Esa clave no puede crear instancias: hace falta la clave maestra del servidor.
create-busy = Una instancia con ese nombre se está creando ahora. Pruebe de nuevo en unos segundos.
create-failed = El servidor no creó la instancia. Compruebe que esté bien y pruebe de nuevo.
own-key-kept = 🔐 La creé yo: guardo la clave propia de esta instancia, no la clave maestra.
label-invalid = El nombre tiene de 1 a 64 caracteres visibles. Ejemplo: <code>Tienda</code>
key-invalid = Clave inválida: pegue solo la clave, sin espacios ni acentos. Ejemplo: <code>B6D711FCDE4D4FD5936544120E713976</code>
name-invalid = Ese nombre no sirve. Escríbalo como está en el servidor, por ejemplo <code>tienda</code>.
url-missing-scheme = Eso no es una dirección: falta http:// o https:// al comienzo. Ejemplo: <code>https://evolution.example.com</code>
url-not-a-url = Eso no es una dirección. Ejemplo: <code>https://evolution.example.com</code>
url-scheme = Aquí solo sirven direcciones http o https. Ejemplo: <code>https://evolution.example.com</code>
url-credentials = La dirección no puede llevar usuario y contraseña. Ejemplo: <code>https://evolution.example.com</code>
url-query = Escriba solo la dirección del servidor, sin <code>?</code> ni <code>#</code>. Ejemplo: <code>https://evolution.example.com</code>
url-port = Ese puerto no está permitido: use 80, 443 o 1024 en adelante. Ejemplo: <code>http://evolution.example.com:8080</code>
url-not-allowed = Dirección no permitida por este servidor. Use la dirección pública de su Evolution API, por ejemplo <code>https://evolution.example.com</code>
testing = 🩺 Probando <b>{ $name }</b>…
tested-title = 🩺 <b>Prueba de { $name }</b>
summary-title = 📱 <b>{ $name }</b>
save-warning = ⚠️ La prueba no pasó. Puede guardar de todos modos: los mensajes esperan hasta que todo esté bien.
instance-saved = 💾 <b>{ $name }</b> guardada.
instance-deleted = 🗑 <b>{ $name }</b> eliminada.
no-active-now = ⚠️ Ahora ninguna instancia está activa. Active una para que los mensajes salgan.
instance-is-active = Los mensajes salen por ella.
instance-state = { $dot } { $state } ({ $checked })
instance-number = 📞 { $number } { $profile }
instance-url = 🌐 <code>{ $url }</code>
instance-name = 📛 <code>{ $name }</code>
instance-key = 🔑 { $key }
instance-waiting =
    { $count ->
        [0] 📭 Nada en espera
        [one] 📨 1 mensaje en espera
       *[other] 📨 { $count } mensajes en espera
    }
instance-last-sent = 📤 Último envío: { $moment }
never-checked = todavía no probada
checked-now = comprobada ahora mismo
checked-ago = comprobada hace { $span }
connection-open = conectada
connection-connecting = conectando
connection-close = desconectada
connection-unreachable = servidor inaccesible
connection-refused = clave rechazada
connection-missing = no existe en el servidor
connection-unknown = estado desconocido
edit-which = ✏️ ¿Qué quiere cambiar en <b>{ $name }</b>?
edit-which-draft = ✏️ ¿Qué quiere cambiar?
delete-ask = 🗑 ¿Eliminar <b>{ $name }</b>? Desaparece de aquí; en el servidor nada cambia.
wipe-ask = ⚠️ ¿Eliminar la instancia <b>{ $name }</b> del servidor { $server }? El número se desconecta y se pierde todo el historial que está allí. No se puede deshacer.
wiping = 🗑 Eliminando <b>{ $name }</b> del servidor…
wiped = 🗑 <b>{ $name }</b> fue eliminada del servidor.
not-wiped = ⚠️ El servidor no eliminó <b>{ $name }</b>. Aquí nada cambió. Pruebe la instancia para saber por qué.
kept-on =
    { $count ->
        [0] Ya no había nada esperando.
        [one] 📌 1 mensaje sigue en <b>{ $name }</b>.
       *[other] 📌 { $count } mensajes siguen en <b>{ $name }</b>.
    }
activated = ✅ <b>{ $name }</b> ahora es la activa.
activated-waiting =
    { $count ->
        [0] —
        [one] 1 mensaje sale ahora por ella.
       *[other] { $count } mensajes salen ahora por ella.
    }
check-policy = dirección permitida
check-dns = nombre encontrado
check-connect = servidor responde
check-tls = conexión segura
check-evolution = es una Evolution API
check-key = clave aceptada
check-instance = la instancia existe
check-connection = WhatsApp conectado
check-url = dirección válida
found-version = ℹ️ Evolution API { $version }
found-key-global = ℹ️ Es la clave maestra del servidor.
found-key-instance = ℹ️ Es la clave de esta instancia.
found-number = 📞 Conectada como { $number } { $profile }
fix-url = La dirección no sirve. Ejemplo: <code>https://evolution.example.com</code>
fix-policy = Este servidor no permite esa dirección. Use la dirección pública de Evolution API.
fix-dns = El nombre del servidor no existe. Revise cómo está escrito.
fix-connect = Nada responde en esa dirección. ¿El servidor está encendido y el puerto es correcto?
fix-tls = El certificado del servidor no es válido. Renuévelo, o use http:// en la red local.
fix-evolution = Hay un servidor, pero no es una Evolution API. Revise la dirección y el puerto.
fix-key = La clave fue rechazada. Cópiela de nuevo del panel de Evolution API.
fix-instance = El servidor no conoce ese nombre. Revise mayúsculas y minúsculas.
fix-connection = La instancia existe, pero WhatsApp no está conectado. Escanee el código QR en el panel de Evolution API.
ask-to = 👤 <b>¿Para quién?</b> Escriba un número (varios, separados por coma o línea) o comparta un contacto. Ejemplo: <code>+34 612 345 678</code>
ask-to-one = 👤 <b>¿Para quién?</b> Escriba un número o comparta un contacto. Ejemplo: <code>+34 612 345 678</code>
ask-text = ✏️ <b>¿Qué enviar?</b> Escriba el texto del mensaje. Ejemplo: <code>¡Buenos días!</code>
ask-more = ✏️ { $length } caracteres hasta aquí. Si el texto sigue, pegue el resto; si no, toque el botón.
ask-when = 🕐 <b>¿Cuándo?</b> Escríbalo, por ejemplo <i>mañana 9h</i>, <i>viernes 18:30</i>, <i>en 2 horas</i>, o elija:
ask-hour = 🕐 El día { $day }, ¿a qué hora? Ejemplo: <code>9:00</code>
when-unclear = 🤔 ¿Cuál de estas horas? Elija, o dígalo de otra manera, por ejemplo <code>mañana 20:00</code>.
when-unclear-one = 🤔 ¿Es esta hora? Tóquela, o dígalo de otra manera, por ejemplo <code>mañana 20:00</code>.
when-past = ⏳ { $moment } ya pasó. ¿Enviar enseguida, o a otra hora?
when-no-such-date = 📅 Esa fecha no existe. Escriba otra, por ejemplo <code>28/02 10h</code>.
when-gap = 🕐 Ese día el reloj se adelanta y esa hora no existe. Elija una cercana:
when-too-far = 📅 Demasiado lejos: 5 años como máximo. Escriba, por ejemplo, <code>mañana 9h</code>.
when-not-understood = 🤔 No entendí esa hora. Escriba, por ejemplo, <code>mañana 9h</code> o <code>15/04 18:30</code>.
text-empty = El mensaje está vacío. Escriba el texto, por ejemplo <code>¡Buenos días!</code>
text-too-long = Demasiado largo: { $length } caracteres; WhatsApp acepta 65.536. Envíe un texto más corto.
to-not-a-number = “{ $said }” no es un número de teléfono. Ejemplo: <code>+34 612 345 678</code>
to-length = “{ $said }” tiene { $digits } dígitos; un número tiene de 8 a 15 con el código del país. Ejemplo: <code>+34 612 345 678</code>
to-address = “{ $said }” no es una persona. Escriba un número, por ejemplo <code>+34 612 345 678</code>
to-too-many = Como máximo { $limit } destinatarios a la vez; aquí hay { $count }.
to-one-only = Esto va a una sola persona; aquí hay { $count }. Diga un solo número, o programe otro mensaje para los demás.
to-in-line = Línea { $line }: { $why }
confirm-title = 📝 <b>Revise y confirme</b>
without-whatsapp =
    { $count ->
        [one] ⚠️ Por lo que el servidor sabe, { $to } no tiene WhatsApp. Revise el número, o confirme de todos modos.
       *[other] ⚠️ Por lo que el servidor sabe, estos números no tienen WhatsApp: { $to }. Revíselos, o confirme de todos modos.
    }
card-to = 👤 { $to }
card-when =
    🕐 <b>{ $moment }</b> · { $zone }
    ⏳ en { $span }
card-when-now = 🕐 <b>{ $moment }</b> · { $zone }
card-through = { $dot } por <b>{ $name }</b>
card-through-deleted = ⚪ por una instancia que fue eliminada
card-through-none = ⚪ Ninguna instancia activa: el mensaje espera hasta que haya una.
card-pinned = 📌 Fijado a esta instancia
card-dropped = 🗑 Cancelado: no se enviará de nuevo. Todavía compruebo si salió.
card-doubted = ❓ Puede que ya se haya enviado: mis datos quizá sean de una copia antigua. Compruébelo en WhatsApp antes de enviarlo.
card-through-gone = ⚪ Su instancia fue eliminada: fíjelo a otra o quite la fijación.
card-sent-at = 📤 { $moment }
edited = ✏️ Lo cambié como usted lo editó.
edit-ended = ✏️ La edición terminó; lo que dijo no cambió nada. Así está:
edited-nothing = 🤔 No pude leer la nueva hora de esa edición. El mensaje sigue así:
edited-not-to =
    { $count ->
        [one] 👤 El destinatario no cambió: un mensaje va a una sola persona, y este sigue dirigido a { $to }. Use <b>Cambiar destinatario</b> en la tarjeta, o programe otro.
       *[other] 👥 Los destinatarios no cambiaron, pues no se puede saber cuál cambiar por cuál. Los mensajes siguen dirigidos a { $to }. Use <b>Cambiar destinatario</b> o <b>Cancelar envío</b> en cada tarjeta; para alguien más, programe otro.
    }
status-scheduled = Programado
status-sending = Enviando
status-sent = Enviado
status-held = En espera
status-late = Atrasado
status-unknown = No sé si llegó
status-looking = Comprobando si llegó
status-failed = Falló
status-cancelled = Cancelado
reason-no-active-instance = Ninguna instancia está activa. Active una en /instancias y el mensaje sale solo.
reason-disconnected = El WhatsApp de la instancia está desconectado. Conéctelo y el mensaje sale solo.
reason-key-refused = El servidor rechazó la clave. Corríjala en /instancias y el mensaje sale solo.
reason-instance-missing = El servidor ya no conoce la instancia. Corrija el nombre en /instancias, o active otra.
reason-licence = El servidor Evolution API pide una licencia. Hable con quien lo administra; después el mensaje sale solo.
reason-unusable = La dirección o la clave de la instancia ya no sirven. Edítelas en /instancias.
reason-unreachable = El servidor no responde. Sigo intentando.
reason-busy = El servidor pide menos mensajes a la vez. Sigo intentando, más despacio.
reason-not-on-whatsapp = Este número no tiene WhatsApp. Cambie el destinatario o cancele.
reason-group-unknown = La instancia no conoce este grupo. Cambie el destinatario.
reason-invalid = El servidor rechazó el mensaje por mal formado. Cambie el texto o el destinatario.
reason-invalid-field = El servidor rechazó el mensaje por mal formado: campo <code>{ $field }</code>. Cambie el texto o el destinatario.
reason-channel-refused = El canal (Meta) rechazó el mensaje. Revise la cuenta de WhatsApp Business.
reason-answer-lost = Le pedí el envío al servidor, pero no llegó una respuesta clara: el mensaje puede haber salido. Vea en WhatsApp si llegó.
scheduled-many =
    { $count ->
        [0] Nada programado
        [one] 1 mensaje programado
       *[other] { $count } mensajes programados
    }
messages-waiting = 🗓 En espera: { $count }
messages-past = 🗂 Anteriores: { $count }
messages-none = Nada por aquí.
pin-ask = 📌 ¿Por qué instancia debe salir el mensaje #{ $id }?
late-title =
    { $count ->
        [0] Nada atrasado
        [one] ⏰ <b>1 mensaje no salió a su hora</b>
       *[other] ⏰ <b>{ $count } mensajes no salieron a su hora</b>
    }
late-doubted =
    { $count ->
        [one] ❓ <b>1 puede haberse enviado ya</b> (marcado con ❓): mis datos quizá sean de una copia antigua. Compruébelo en WhatsApp antes de enviarlo.
       *[other] ❓ <b>{ $count } pueden haberse enviado ya</b> (marcados con ❓): mis datos quizá sean de una copia antigua. Compruébelo en WhatsApp antes de enviarlos.
    }
late-row = • { $moment } → { $to }: { $text }
late-row-doubted = • ❓ { $moment } → { $to }: { $text }
late-more =
    { $count ->
        [one] … y 1 más.
       *[other] … y { $count } más.
    }
late-sent =
    { $count ->
        [0] Nada enviado
        [one] 🚀 1 mensaje sale ahora.
       *[other] 🚀 { $count } mensajes salen ahora.
    }
late-tomorrow =
    { $count ->
        [0] Nada cambió
        [one] 📅 1 mensaje queda para mañana.
       *[other] 📅 { $count } mensajes quedan para mañana.
    }
late-dropped =
    { $count ->
        [0] Nada descartado
        [one] 🗑 1 mensaje descartado.
       *[other] 🗑 { $count } mensajes descartados.
    }
late-see-messages = Vea todo en Mensajes.
report-sent = ✅ Enviado a { $to } a las { $time }: { $text }
report-sent-late = ✅ Enviado a { $to } con { $span } de atraso: { $text }
report-failed = ⚠️ No pude enviar a { $to }: { $text }
report-unknown = ❓ No sé si el mensaje a { $to } llegó: { $text }
report-guessing = 🔐 Alguien falló la contraseña de esta cuenta { $count } veces seguidas y quedó bloqueado por un tiempo. Los chats ya vinculados siguen funcionando. Si no fue usted, cambie la contraseña y revise los chats vinculados.
report-held-title = ⏸ <b>Mensajes en espera</b>
see-message = Ver mensaje
report-down = 🟠 No logro hablar con el servidor de <b>{ $name }</b> desde hace unos minutos. Los mensajes esperan y sigo intentando. Pruebe la instancia en /instancias.
report-up =
    { $count ->
        [0] 🟢 El servidor de <b>{ $name }</b> responde de nuevo.
        [one] 🟢 El servidor de <b>{ $name }</b> responde de nuevo: 1 mensaje que esperaba sale ahora.
       *[other] 🟢 El servidor de <b>{ $name }</b> responde de nuevo: { $count } mensajes que esperaban salen ahora.
    }
report-clock-ahead = 🕰 El reloj de este servidor está { $span } adelantado respecto al de Telegram. No se envía nada hasta que esté bien. Ajuste la hora de la máquina (NTP); lo demás sigue solo.
report-clock-behind = 🕰 El reloj de este servidor está { $span } atrasado respecto al de Telegram. Los mensajes salen con ese atraso. Ajuste la hora de la máquina (NTP).
report-clock-right = 🟢 El reloj del servidor está bien de nuevo.
report-dropped =
    { $count ->
        [one] 🗑 1 mensaje no salió a su hora y se descartó, como eligió en /cuenta.
       *[other] 🗑 { $count } mensajes no salieron a su hora y se descartaron, como eligió en /cuenta.
    }
rules-changed =
    { $count ->
        [one] 🌍 <b>Las reglas de los husos horarios cambiaron.</b> Un mensaje mantiene la hora que dijo y por eso sale en otro momento:
       *[other] 🌍 <b>Las reglas de los husos horarios cambiaron.</b> { $count } mensajes mantienen las horas que dijo y por eso salen en otros momentos:
    }
rules-changed-row = • { $to }: ahora saldría { $old }, y sale <b>{ $new }</b> · { $zone }
rules-changed-more = … y { $count } más.
report-mended =
    { $count ->
        [0] 🟢 <b>{ $name }</b> volvió.
        [one] 🟢 <b>{ $name }</b> volvió: 1 mensaje sale ahora.
       *[other] 🟢 <b>{ $name }</b> volvió: { $count } mensajes salen ahora.
    }
weekday-short =
    { $n ->
        [1] lun
        [2] mar
        [3] mié
        [4] jue
        [5] vie
        [6] sáb
       *[7] dom
    }
month-short =
    { $n ->
        [1] ene
        [2] feb
        [3] mar
        [4] abr
        [5] may
        [6] jun
        [7] jul
        [8] ago
        [9] sept
        [10] oct
        [11] nov
       *[12] dic
    }
span-days =
    { $n ->
        [0] 0 días
        [one] 1 día
       *[other] { $n } días
    }
explain-at = { $moment } · { $zone } · en { $span }
explain-every = 🔁 { $rule }, primera vez { $moment } · { $zone }
explain-unclear = Se puede entender de más de una manera. ¿Cuál de estas?
explain-hour = El { $day }, ¿a qué hora?
explain-past = Ya pasó: { $moment } · { $zone }
explain-no-date = Esa fecha no existe.
explain-gap = Esa hora no existe ese día, porque el reloj se adelanta. Las más cercanas:
explain-far = Demasiado lejos: como máximo 5 años.
explain-nothing = No hay ninguna hora en ese texto. Ejemplo: mañana a las 9
late-policy = Mensajes atrasados
late-policy-ask = Preguntar
late-policy-always = Enviar siempre
late-policy-never = Descartar siempre
late-policy-line = ⏰ Atrasados (más de { $grace }): { $choice }
late-grace = Hasta { $grace }
late-grace-usual = Hasta { $grace } (predeterminado)
late-policy-title = ⏰ <b>¿Qué hacer con lo que no pudo salir a tiempo?</b> Con hasta { $grace } de atraso sale solo (elija abajo cuánto). Más allá vale su elección; lo que pasa de 24 h nunca sale sin preguntar.
late-policy-changed = ✅ Hecho.
history = Historial
history-title = 📜 <b>Historial</b> del mensaje #{ $id }
history-none = Todavía no hubo ningún intento.
history-earlier =
    { $count ->
        [one] … y 1 más antes de estos.
       *[other] … y { $count } más antes de estos.
    }
attempt-sent = entregado al servidor
attempt-found = está en el historial de WhatsApp: salió
attempt-arrived = usted dijo que llegó
attempt-absent = respuesta perdida; no estaba en el historial, se envió de nuevo
attempt-again = no salió, se intentó de nuevo
attempt-held = en espera
attempt-failed = rechazado
attempt-unknown = respuesta perdida
attempt-open = en curso
through-former = { $name } (eliminada)
through-deleted = instancia eliminada
why-no-active-instance = ninguna instancia activa
why-disconnected = WhatsApp desconectado
why-key-refused = clave rechazada
why-instance-missing = el servidor no conoce la instancia
why-licence = el servidor exige una licencia
why-unusable = la dirección o la clave ya no sirven
why-unreachable = el servidor no respondió
why-busy = el servidor pidió menos prisa
why-not-on-whatsapp = el número no tiene WhatsApp
why-group-unknown = grupo desconocido
why-invalid = mensaje mal formado
why-invalid-field = mensaje mal formado, campo { $field }
why-channel-refused = rechazado por el canal (Meta)
repeat = Repetir
repetitions = Repeticiones ({ $count })
repetitions-plain = Repeticiones
skip-next = Saltar la próxima
pause = Pausar
resume-series = Reanudar repetición
stop-series = Detener repetición
and = y
every-days =
    { $n ->
        [1] cada día
       *[other] cada { $n } días
    }
every-weeks =
    { $n ->
        [1] cada semana
       *[other] cada { $n } semanas
    }
every-months =
    { $n ->
        [1] cada mes
       *[other] cada { $n } meses
    }
every-years =
    { $n ->
        [1] cada año
       *[other] cada { $n } años
    }
every-hours =
    { $n ->
        [1] cada hora
       *[other] cada { $n } horas
    }
every-minutes =
    { $n ->
        [1] cada minuto
       *[other] cada { $n } minutos
    }
every-workday = cada día laborable
every-weekend = cada fin de semana
rule-at = a las { $times }
rule-days = día { $days }
rule-last-day = último día
rule-nth =
    { $weekday ->
       *[other] { $n }.º { $day }
    }
rule-last-weekday =
    { $weekday ->
       *[other] último { $day }
    }
rule-nth-workday = { $n }.º día hábil
rule-last-workday = último día hábil
rule-count =
    { $n ->
        [1] 1 vez
       *[other] { $n } veces
    }
rule-until = hasta { $day }
ask-every = 🔁 <b>¿Repetir cuándo?</b> Escriba, por ejemplo <i>cada día laborable a las 8</i>, <i>el 5 de cada mes a las 10</i>, <i>cada viernes 18h hasta el 31/12</i>, o elija:
ask-every-hour = 🔁 { $rule }: ¿a qué hora? Ejemplo: <code>9h</code>
ask-every-again = 🤔 Eso no es una repetición. Escriba, por ejemplo, <code>cada lunes a las 9</code>.
card-every = 🔁 <b>{ $rule }</b> · { $zone }
card-first = ⏭ <b>{ $moment }</b> · en { $span }
card-next = ⏭ { $moment }
card-moved = ↪️ Ese día se adelanta el reloj: la hora no existe, y el mensaje sale justo después.
card-of-series = 🔁 Parte de una repetición
see-series = Ver repetición
series-title = 🔁 <b>Repeticiones</b>
series-none = Ninguna todavía. Programe con <i>cada día laborable a las 8</i>, o use <b>Repetir</b> en un mensaje.
series-active = Repetición
series-paused = Repetición en pausa
series-stopped = Repetición detenida
series-over = Repetición terminada
series-through-none = ⚪ Ninguna instancia activa: los mensajes esperan hasta que haya una.
series-skipped = ⏭ Saltada: { $moment }
series-many =
    { $count ->
        [1] 1 repetición creada
       *[other] { $count } repeticiones creadas
    }
series-pin-ask = 📌 ¿Por qué instancia debe salir la repetición #{ $id }?
reason-series-changed = La repetición fue pausada, cambiada o detenida.
series-last-goes = 📤 Un mensaje de esta repetición ya se está enviando y no se puede detener. Después de él no sale nada más.
toast-series-stopped = La repetición ya fue detenida.
digest-running = 📤 <b>Enviando: { $done } de { $all }</b>
digest-done =
    { $count ->
        [one] ✅ <b>1 mensaje enviado</b>
       *[other] ✅ <b>{ $count } mensajes enviados</b>
    }
digest-failed =
    { $count ->
        [one] ⚠️ 1 falló
       *[other] ⚠️ { $count } fallaron
    }
digest-more = … y { $count } más
digest-late = { $span } de atraso
