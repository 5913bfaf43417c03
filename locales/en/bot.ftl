# Every word a person reads in the chat. Keys are grouped by screen; values are escaped by the caller.

account = Account
activate = Activate
back = Back
cancel = Cancel
cancel-message = Cancel message
change-recipient = Change recipient
change-text = Change text
change-time = Change time
choose = Choose
confirm = Confirm
copy = Copy
create-account = Create account
delete = Delete
drop = Drop
duplicate = Duplicate
edit = Edit
create-on-server = Create a new one on the server
delete-on-server = Delete it on the server too
keep-on = Keep those on { $name }
edit-field = Edit a field
finished = Done
have-account = I have an account
help = Help
home = Home
instances = Instances
invite = Invite
it-arrived = It arrived
language = Language
linked-chats = Linked chats
messages = Messages
new-instance = New instance
open-private = Open private chat
password = Password
pin-instance = Pin instance
region = Region
resume = Resume
save = Save
save-activate = Save and activate
save-anyway = Save anyway
schedule-message = Schedule message
send-again = Send again
send-all = Send all
send-now = Send now
test = Test
test-again = Test again
time-zone = Time zone
tomorrow-same-time = Tomorrow, same time
undo = Undo
unpin = Unpin (use the active one)
unlink = Unlink { $name }
delete-move = Move to the active one
delete-cancel = Cancel them
delete-hold = Keep them on hold
show-waiting = Waiting ({ $count })
show-past = Past ({ $count })
field-label = Label
field-url = Address
field-key = API key
field-name = Name on the server
command-home = Home
command-schedule = Schedule a message
command-messages = Waiting and past messages
command-instances = Your WhatsApp numbers
command-account = Account, language and time zone
command-invite = Invite someone
command-help = How to use it
command-cancel = Cancel what you are doing
welcome = 👋 Hello! I am <b>ScheduleZAP</b>: I look after your WhatsApp numbers and send your messages at the time you choose.
welcome-claim = 🔐 This link is for the first administrator. Create your account to claim this server.
welcome-invited = 💌 You have been invited. Create your account to begin.
welcome-invite-only = You need an invite to create an account here.
ask-username =
    👤 Choose a username: 3 to 32 letters, digits, <code>_</code>, <code>.</code> or <code>-</code>.
    Example: <code>ana.silva</code>
ask-password = 🔑 Now a password for <b>{ $name }</b>: 8 to 128 characters, hard to guess. I delete your message right away.
ask-login-name = 👤 What is your username?
ask-login-password = 🔑 And the password? I delete your message right away.
account-created = 🎉 Account <b>{ $name }</b> created. Now add your first number under <b>Instances</b>.
delete-yourself = ⚠️ I could not delete your message. Please delete it yourself, to be safe.
in-group = For safety, I only work in a private chat.
secret-in-group = 🔐 Passwords and keys never belong in a group: I did not use what was written here. Continue in the private chat, and if it was a real one, change it.
send-as-text = Please send that as text.
home-title = 🏠 <b>ScheduleZAP</b> · { $name }
home-active = { $dot } Active instance: <b>{ $name }</b>
home-no-active = ⚪ No active instance: add or activate one under <b>Instances</b>.
home-waiting =
    { $count ->
        [0] 📭 No messages waiting
        [one] 📨 1 message waiting
       *[other] 📨 { $count } messages waiting
    }
help-text =
    ❓ <b>How to use it</b>

    I send WhatsApp messages through your own number, at the time you say, and tell you here what became of them.

    <b>1. Add a number:</b> /instances → <b>New instance</b>. I ask for a label, the address of your Evolution API server, its key and the instance's name, and test it all on the spot.
    <b>2. Schedule:</b> /schedule asks to whom, what and when. Or write it all in one line:
    <code>tomorrow 9am to +1 415 555 2671: Hello!</code>
    <b>3. Confirm:</b> before anything is scheduled I show you the day and time as I understood them. You can undo it afterwards.

    <b>When:</b> <i>today 6pm</i>, <i>friday 10:30</i>, <i>in 2 hours</i>, <i>april 15 at 9am</i>, <i>every monday at 8</i>.
    <b>To change it:</b> reply to a message's card with another time (<i>tomorrow 10am</i>), or with <i>cancel</i>.
    <b>If something is wrong</b> (WhatsApp disconnected, server down), the message waits and I tell you what to do.

    /messages – what is waiting and what has gone
    /instances – your numbers
    /account – language, time zone, password
    /cancel – leave what you are doing

    At any question, /help explains that step.
help-stranger = ❓ I send WhatsApp messages at the time you choose, through your own numbers (on an Evolution API server). To begin, create an account or log in: /start
help-leave = ↩️ To leave: /cancel. Until then, what you have entered is kept.
help-username = ❓ The username identifies your account on this server: with it and the password you can also log in from another Telegram. 3 to 32 letters, digits, <code>_</code>, <code>.</code> or <code>-</code>. Example: <code>ana.silva</code>
help-new-password = ❓ The password protects your account; I keep only a digest of it that cannot be read back. 8 to 128 characters. A good example: four words only you would put together, like <code>giraffe slowly sells bells</code> (do not use this one). I delete your message right away.
help-login-name = ❓ Type the username of the account you have here. Example: <code>ana.silva</code>. If you do not have one yet, leave and tap <b>Create account</b>.
help-login-password = ❓ Type that account's password exactly as you made it: capitals and spaces count. An example of what to type: <code>four words of yours</code>. I delete your message right away. After several mistakes you have to wait a little.
help-label = ❓ This name is only for you: it appears in lists and on cards, and can be changed later. Example: <code>Shop</code>
help-url = ❓ It is the address where your Evolution API server answers, with http:// or https:// and without a password in it. Usually it is the manager's address without <code>/manager</code>. Example: <code>https://evolution.example.com</code>
help-key = ❓ It is the <code>apikey</code> of the Evolution API: the instance's own (in the manager, beside its name) or the server's master key (<code>AUTHENTICATION_API_KEY</code>). An example of what it looks like: <code>B6D711FC-DE4D-4FD5-9365-44120E713976</code>. I delete your message right away and keep the key encrypted.
help-name = ❓ It is the name of the instance on the server, in the same upper and lower case as in the manager. If there are buttons with names, just tap one. Example: <code>shop</code>
help-new-name = ❓ The new instance will be created on the server under this name: letters a to z, digits, <code>_</code> or <code>-</code>. Example: <code>shop</code>
help-summary = ❓ I tested what you entered: each line says what I found, and the first one that fails says what to do. <b>Save</b> keeps the instance, <b>Edit a field</b> corrects it. Use the buttons here; for example, <b>Test again</b> once the server is running.
help-to = ❓ Type who the message goes to: a number with its area code, or with + and the country code; several, separated by commas or lines; or share a contact. Example: <code>+1 415 555 2671</code>
help-body = ❓ The next text you type is the message, exactly as it will arrive on WhatsApp; bold, italic, strikethrough and monospace are kept. A text that begins with / is read as a command. Example: <code>Good morning! Your order is here.</code>
help-more = ❓ Telegram cuts long texts into pieces. Paste the next piece, or tap <b>Done</b> if that was all. Example: a text of 6,000 characters makes two messages, and then <b>Done</b>.
help-when = ❓ Type the day and time in your own words, or a repetition; your account's time zone applies. Before anything is scheduled I show you how I understood it. Example: <code>tomorrow 9am</code>
help-hour = ❓ The day is known: only the time is missing. Example: <code>6:30pm</code>
help-every = ❓ Say on which days it repeats and at what time; it may have an end. Example: <code>every monday at 9am until dec 31</code>
help-every-hour = ❓ The repetition is known: only the time is missing. Example: <code>8:30am</code>
help-confirm = ❓ This is how the message will go out. <b>Confirm</b> schedules it; the other buttons change a part of it. You can also just type another time. Example: <code>tomorrow 10am</code>
help-zone = ❓ Your time zone tells me what you mean by a time. Type a large city nearby, or the name of the zone. Example: <code>London</code>
help-region = ❓ Your region tells me how to read phone numbers written without a country code. Type the country's name or code. Example: <code>US</code>
help-old-password = ❓ First the current password, so that nobody else can change it; then the new one. Type it exactly as you made it. An example of what to type: <code>four words of yours</code>. I delete your message right away.
needs-account = That needs an account: create one or log in first.
cancelled-message = ✖️ Cancelled. The draft was dropped and nothing was scheduled.
cancelled-change = ✖️ Cancelled. Nothing changed: everything stays as it was.
cancelled-instance = ✖️ Cancelled. The instance was not saved here.
cancelled-created = ✖️ Cancelled. The instance was not saved here, but <b>{ $name }</b> was created on the server and remains there.
cancelled-sign-up = ✖️ Cancelled. No account was created.
cancelled-log-in = ✖️ Cancelled. You are not logged in.
store-fails = ⚠️ I cannot save anything at the moment: the disk is full or the database is unreachable. Nothing is sent meanwhile and nothing is lost: what you said waits, and I will answer as soon as it works again.
store-works = 🟢 I can save again. What was waiting goes on now.
apology = 😔 Something went wrong on my side. Nothing was lost: try again, or /menu.
unknown-command = I do not know that command. See /help, or /cancel to leave.
not-understood =
    I did not understand. To schedule, write for example:
    <code>tomorrow 9am to +1 415 555 2671: Hello!</code>
draft-dropped = 🗑 The draft that was open was dropped.
nothing-to-cancel = There is nothing to cancel.
use-the-keys = Use the buttons above, or /cancel to leave.
account-title = 👤 <b>{ $name }</b> · { $role }
role-admin = administrator
role-user = user
account-language = 🌐 Language: { $language }
account-zone = 🕐 Time zone: { $zone } — now { $now }
account-region = 📞 Region for phone numbers: { $region }
account-chats = 💬 Linked chats: { $count }
choose-language = 🌐 Choose a language:
language-changed = ✅ Language: English.
ask-zone = 🕐 What is your city or time zone? Type it (example: <code>London</code>) or choose:
starts-with = 🕐 I understand times as { $zone }, where it is now { $now }, and phone numbers without a country code as { $region }. You can change both under <b>Account</b>.
other-zone = I am in another time zone
ask-first-zone = 🕐 <b>Where are you?</b> Your time zone tells me what <i>tomorrow 9am</i> means, and your country how to read phone numbers without a country code. Type your city (example: <code>Chicago</code>) or choose:
keep-zone = Keep { $zone }
zone-changed = ✅ Time zone changed.
zone-not-found = I could not find “{ $said }”. Type a larger city nearby, for example <code>New York</code>.
ask-region = 📞 Which country are your phone numbers from? Type its name or code, for example <code>US</code>.
region-changed = ✅ Region: { $region }.
region-not-found = I do not know that country. Type its code, for example <code>US</code>.
ask-old-password = 🔑 What is the current password? I delete your message right away.
ask-new-password = 🔑 And the new password? 8 to 128 characters.
password-changed = ✅ Password changed. The other chats were unlinked.
must-change-password = 🔐 You need to choose a new password for this account before anything else.
must-change-password-toast = Choose a new password first.
chats-title = 💬 <b>Chats linked to this account</b>
unlink-ask = Unlink <b>{ $name }</b> from this account? Messages and instances stay.
unlinked = ✅ Chat unlinked.
unlinked-here = ✅ This chat was unlinked from the account. To come back: /start
invite-link =
    💌 Invite for one person, valid for 7 days:
    { $link }
invite-not-you = Only administrators can invite people. Ask whoever runs this server.
password-too-short = Too short: use at least 8 characters, for example four words only you would put together.
password-too-long = Too long: use at most 128 characters, for example four words only you would put together.
password-weak = That password is easy to guess. Use, for example, four words only you would put together.
password-blank = A password cannot begin or end with a space, nor have more than one line.
password-same = The password cannot be the username.
password-unchanged = The new password cannot be the current one.
username-length = A username has 3 to 32 characters. Example: <code>ana.silva</code>
username-characters = Use only letters a to z, digits, <code>_</code>, <code>.</code> or <code>-</code>. Example: <code>ana.silva</code>
refusal-username-taken = That username is taken. Choose another.
refusal-wrong-password = Wrong username or password.
old-password-wrong = That is not the current password.
refusal-throttled = Too many attempts. Try again in { $span }.
refusal-busy = I am busy right now. Try again in a few seconds.
refusal-code-invalid = That link has already been used or has expired. Ask whoever runs this server for another.
refusal-signup-closed = This server does not accept new accounts.
refusal-needs-invite = You need an invite to create an account here. Ask whoever runs this server for the link and open it.
refusal-disabled = This account is suspended. Talk to whoever runs this server.
refusal-too-many-chats = This account has too many chats. Unlink one under /account.
refusal-already-exists = You already have it: <b>{ $name }</b> is this same instance on the same server.
refusal-too-many = You have reached the limit of { $limit }. Delete something first.
refusal-changed = That has changed in the meantime. Look again under /messages.
refusal-being-sent = The message is being sent right now.
refusal-already-sent = The message has already been sent.
refusal-not-found = I could not find that. See /menu.
toast-expired = That button has expired. Use /menu.
toast-nothing-to-confirm = Nothing is left to confirm. See /messages.
toast-changed = That has changed in the meantime.
toast-being-sent = It is being sent right now.
toast-already-sent = It has already been sent.
toast-already-cancelled = Already cancelled.
toast-nothing-late = Nothing is late any more.
instances-title = 📱 <b>Instances</b>
instances-none = None yet. An instance is one WhatsApp number on your Evolution API server.
instances-count =
    { $count ->
        [0] None
        [one] 1 number
       *[other] { $count } numbers
    }
ask-label = 🏷 What do you want to call this instance? Example: <code>Shop</code>
ask-url = 🌐 What is the address of the Evolution API server? Example: <code>https://evolution.example.com</code>
ask-key = 🔑 What is the API key (<code>apikey</code>)? I delete your message right away and keep the key encrypted.
ask-name = 📛 What is the instance's name on the server? Example: <code>shop</code>
names-found = 📛 I found these on the server. Choose one or type the name:
names-none = 📛 The server has no instances yet. Create a new one, or type the name of one that exists.
ask-new-name = ➕ What should the new instance be called on the server? Letters a to z, digits, <code>_</code> or <code>-</code>. Example: <code>shop</code>
name-not-creatable = That name does not work for a new instance: use 1 to 64 letters a to z, digits, <code>_</code> or <code>-</code>, beginning with a letter or digit. Example: <code>shop-2</code>
creating = ➕ Creating <b>{ $name }</b> on the server…
create-taken = The server already has an instance <b>{ $name }</b>. Choose another name.
create-refused = That key cannot create instances: only the server's master key can.
create-busy = An instance of that name is being created right now. Try again in a few seconds.
create-failed = The server did not create the instance. Check that it is working and try again.
own-key-kept = 🔐 I created it, and I keep this instance's own key instead of the master key.
label-invalid = A label has 1 to 64 visible characters. Example: <code>Shop</code>
key-invalid = Invalid key: paste only the key, without spaces or accents. Example: <code>B6D711FCDE4D4FD5936544120E713976</code>
name-invalid = That name does not work. Type it exactly as it is on the server, for example <code>shop</code>.
url-missing-scheme = That is not an address: http:// or https:// is missing at the start. Example: <code>https://evolution.example.com</code>
url-not-a-url = That is not an address. Example: <code>https://evolution.example.com</code>
url-scheme = Only http or https addresses work here. Example: <code>https://evolution.example.com</code>
url-credentials = The address cannot contain a user and password. Example: <code>https://evolution.example.com</code>
url-query = Type only the server's address, without <code>?</code> or <code>#</code>. Example: <code>https://evolution.example.com</code>
url-port = That port is not allowed: use 80, 443 or 1024 and up. Example: <code>http://evolution.example.com:8080</code>
url-not-allowed = Address not allowed by this server. Use the public address of your Evolution API, for example <code>https://evolution.example.com</code>
testing = 🩺 Testing <b>{ $name }</b>…
tested-title = 🩺 <b>Test of { $name }</b>
summary-title = 📱 <b>{ $name }</b>
save-warning = ⚠️ The test did not pass. You can save anyway: messages will wait until everything works.
instance-saved = 💾 <b>{ $name }</b> saved.
instance-deleted = 🗑 <b>{ $name }</b> deleted.
no-active-now = ⚠️ No instance is active now. Activate one so that messages go out.
instance-is-active = Your messages go out through it.
instance-state = { $dot } { $state } ({ $checked })
instance-number = 📞 { $number } { $profile }
instance-url = 🌐 <code>{ $url }</code>
instance-name = 📛 <code>{ $name }</code>
instance-key = 🔑 { $key }
instance-waiting =
    { $count ->
        [0] 📭 Nothing is waiting on it
        [one] 📨 1 message is waiting on it
       *[other] 📨 { $count } messages are waiting on it
    }
instance-last-sent = 📤 Last sent: { $moment }
never-checked = not tested yet
checked-now = checked just now
checked-ago = checked { $span } ago
connection-open = connected
connection-connecting = connecting
connection-close = disconnected
connection-unreachable = server unreachable
connection-refused = key refused
connection-missing = not on the server
connection-unknown = state unknown
edit-which = ✏️ What do you want to change in <b>{ $name }</b>?
edit-which-draft = ✏️ What do you want to change?
delete-ask = 🗑 Delete <b>{ $name }</b>? It disappears from here; nothing changes on the server.
wipe-ask = ⚠️ Delete the instance <b>{ $name }</b> on the server { $server }? The number is disconnected and all the history there is lost. This cannot be undone.
wiping = 🗑 Deleting <b>{ $name }</b> on the server…
wiped = 🗑 <b>{ $name }</b> was deleted on the server.
not-wiped = ⚠️ The server did not delete <b>{ $name }</b>. Nothing has changed here. Test the instance to find out why.
kept-on =
    { $count ->
        [0] Nothing was waiting any more.
        [one] 📌 1 message stays on <b>{ $name }</b>.
       *[other] 📌 { $count } messages stay on <b>{ $name }</b>.
    }
activated = ✅ <b>{ $name }</b> is now the active one.
activated-waiting =
    { $count ->
        [0] —
        [one] 1 message now goes out through it.
       *[other] { $count } messages now go out through it.
    }
check-policy = address allowed
check-dns = name found
check-connect = server answers
check-tls = secure connection
check-evolution = it is an Evolution API
check-key = key accepted
check-instance = instance exists
check-connection = WhatsApp connected
check-url = valid address
found-version = ℹ️ Evolution API { $version }
found-key-global = ℹ️ It is the server's master key.
found-key-instance = ℹ️ It is this instance's key.
found-number = 📞 Connected as { $number } { $profile }
fix-url = The address does not work. Example: <code>https://evolution.example.com</code>
fix-policy = This server does not allow that address. Use the public address of the Evolution API.
fix-dns = The server's name does not exist. Check how it is spelled.
fix-connect = Nothing answers at that address. Is the server up, and the port right?
fix-tls = The server's certificate is not valid. Renew it, or use http:// on a local network.
fix-evolution = There is a server there, but it is not an Evolution API. Check the address and port.
fix-key = The key was refused. Copy it again from the Evolution API manager.
fix-instance = The server does not know that name. Check upper and lower case.
fix-connection = The instance exists, but WhatsApp is not connected. Scan the QR code in the Evolution API manager.
ask-to = 👤 <b>To whom?</b> Type a number (or several, separated by commas or lines) or share a contact. Example: <code>+1 415 555 2671</code>
ask-to-one = 👤 <b>To whom?</b> Type a number or share a contact. Example: <code>+1 415 555 2671</code>
ask-text = ✏️ <b>What to send?</b> Type the message. Example: <code>Good morning!</code>
ask-more = ✏️ { $length } characters so far. If there is more, paste the rest; otherwise tap the button.
ask-when = 🕐 <b>When?</b> Type it, for example <i>tomorrow 9am</i>, <i>friday 18:30</i>, <i>in 2 hours</i>, or choose:
ask-hour = 🕐 On { $day }, at what time? Example: <code>9:00</code>
when-unclear = 🤔 Which of these times? Choose, or say it another way, for example <code>tomorrow 20:00</code>.
when-unclear-one = 🤔 Is it this time? Tap it, or say it another way, for example <code>tomorrow 20:00</code>.
when-past = ⏳ { $moment } has passed. Send it right away, or at another time?
when-no-such-date = 📅 That date does not exist. Type another, for example <code>feb 28 10:00</code>.
when-gap = 🕐 Clocks go forward that day and that time does not exist. Choose one nearby:
when-too-far = 📅 Too far ahead: 5 years at most. Type, for example, <code>tomorrow 9am</code>.
when-not-understood = 🤔 I did not understand that time. Type, for example, <code>tomorrow 9am</code> or <code>april 15 18:30</code>.
text-empty = The message is empty. Type the text, for example <code>Good morning!</code>
text-too-long = Too long: { $length } characters; WhatsApp accepts 65,536. Send a shorter text.
to-not-a-number = “{ $said }” is not a phone number. Example: <code>+1 415 555 2671</code>
to-length = “{ $said }” has { $digits } digits; a number has 8 to 15 with its country code. Example: <code>+1 415 555 2671</code>
to-address = “{ $said }” is not a person. Type a number, for example <code>+1 415 555 2671</code>
to-too-many = At most { $limit } recipients at once; here are { $count }.
to-one-only = This goes to one person; here are { $count }. Say one number, or schedule a new message for the others.
to-in-line = Line { $line }: { $why }
confirm-title = 📝 <b>Check and confirm</b>
without-whatsapp =
    { $count ->
        [one] ⚠️ As far as the server knows, { $to } is not on WhatsApp. Check the number, or confirm anyway.
       *[other] ⚠️ As far as the server knows, these numbers are not on WhatsApp: { $to }. Check them, or confirm anyway.
    }
card-to = 👤 { $to }
card-when =
    🕐 <b>{ $moment }</b> · { $zone }
    ⏳ in { $span }
card-when-now = 🕐 <b>{ $moment }</b> · { $zone }
card-through = { $dot } through <b>{ $name }</b>
card-through-deleted = ⚪ through an instance that was deleted
card-through-none = ⚪ No active instance: the message waits until there is one.
card-pinned = 📌 Pinned to this instance
card-dropped = 🗑 Cancelled: it will not be sent again. I am still finding out whether it went.
card-doubted = ❓ It may have been sent already: my data may be from an older copy. Check in WhatsApp before sending it.
card-through-gone = ⚪ Its instance was deleted: pin it to another, or unpin it.
card-sent-at = 📤 { $moment }
edited = ✏️ Changed to match your edit.
edit-ended = ✏️ The edit is over; what you said changed nothing. This is how it stands:
edited-nothing = 🤔 I could not read the new time in that edit. The message stays as it is:
edited-not-to =
    { $count ->
        [one] 👤 The recipient did not change: one message goes to one person, and this one still goes to { $to }. Use <b>Change recipient</b> on its card, or schedule another.
       *[other] 👥 The recipients did not change, because I cannot tell which should become which. The messages still go to { $to }. Use <b>Change recipient</b> or <b>Cancel message</b> on each card; to reach someone else, schedule another.
    }
status-scheduled = Scheduled
status-sending = Sending
status-sent = Sent
status-held = On hold
status-late = Late
status-unknown = Unsure whether it arrived
status-looking = Checking whether it arrived
status-failed = Failed
status-cancelled = Cancelled
reason-no-active-instance = No instance is active. Activate one under /instances and the message will go out by itself.
reason-disconnected = The instance's WhatsApp is disconnected. Connect it and the message will go out by itself.
reason-key-refused = The server refused the key. Correct it under /instances and the message will go out by itself.
reason-instance-missing = The server no longer knows the instance. Correct its name under /instances, or activate another.
reason-licence = The Evolution API server requires a licence. Talk to whoever runs it; the message will go out by itself afterwards.
reason-unusable = The instance's address or key no longer work. Edit them under /instances.
reason-unreachable = The server does not answer. I will keep trying.
reason-busy = The server asks for fewer messages at a time. I keep trying, more slowly.
reason-not-on-whatsapp = This number is not on WhatsApp. Change the recipient or cancel.
reason-group-unknown = The instance does not know this group. Change the recipient.
reason-invalid = The server refused the message as malformed. Change the text or the recipient.
reason-invalid-field = The server refused the message as malformed: field <code>{ $field }</code>. Change the text or the recipient.
reason-channel-refused = The channel (Meta) refused the message. Check the WhatsApp Business account.
reason-answer-lost = I asked the server to send it, but no clear answer came: it may have gone out. Check in WhatsApp whether it arrived.
scheduled-many =
    { $count ->
        [0] Nothing scheduled
        [one] 1 message scheduled
       *[other] { $count } messages scheduled
    }
messages-waiting = 🗓 Waiting: { $count }
messages-past = 🗂 Past: { $count }
messages-none = Nothing here.
pin-ask = 📌 Through which instance should message #{ $id } go?
late-title =
    { $count ->
        [0] Nothing late
        [one] ⏰ <b>1 message missed its time</b>
       *[other] ⏰ <b>{ $count } messages missed their time</b>
    }
late-doubted =
    { $count ->
        [one] ❓ <b>1 may have been sent already</b> (marked ❓): my data may be from an older copy. Check in WhatsApp before sending it.
       *[other] ❓ <b>{ $count } may have been sent already</b> (marked ❓): my data may be from an older copy. Check in WhatsApp before sending them.
    }
late-row = • { $moment } → { $to }: { $text }
late-row-doubted = • ❓ { $moment } → { $to }: { $text }
late-more =
    { $count ->
        [one] … and 1 more.
       *[other] … and { $count } more.
    }
late-sent =
    { $count ->
        [0] Nothing sent
        [one] 🚀 1 message goes now.
       *[other] 🚀 { $count } messages go now.
    }
late-tomorrow =
    { $count ->
        [0] Nothing changed
        [one] 📅 1 message moved to tomorrow.
       *[other] 📅 { $count } messages moved to tomorrow.
    }
late-dropped =
    { $count ->
        [0] Nothing dropped
        [one] 🗑 1 message dropped.
       *[other] 🗑 { $count } messages dropped.
    }
late-see-messages = See all under Messages.
report-sent = ✅ Sent to { $to } at { $time }: { $text }
report-sent-late = ✅ Sent to { $to }, { $span } late: { $text }
report-failed = ⚠️ I could not send to { $to }: { $text }
report-unknown = ❓ I do not know whether the message to { $to } arrived: { $text }
report-guessing = 🔐 Someone entered a wrong password for this account { $count } times in a row and is blocked for a while. Chats that are already linked keep working. If it was not you, change the password and check the linked chats.
report-held-title = ⏸ <b>Messages on hold</b>
see-message = See message
report-down = 🟠 I have not been able to reach the server of <b>{ $name }</b> for a few minutes. Its messages wait and I keep trying. Test the instance under /instances.
report-up =
    { $count ->
        [0] 🟢 The server of <b>{ $name }</b> answers again.
        [one] 🟢 The server of <b>{ $name }</b> answers again: 1 message that was waiting goes out now.
       *[other] 🟢 The server of <b>{ $name }</b> answers again: { $count } messages that were waiting go out now.
    }
report-clock-ahead = 🕰 The clock of this server is { $span } ahead of Telegram's. Nothing is sent until it is right. Set the machine's time (NTP); the rest follows by itself.
report-clock-behind = 🕰 The clock of this server is { $span } behind Telegram's. Messages go out that much later. Set the machine's time (NTP).
report-clock-right = 🟢 The server's clock is right again.
report-dropped =
    { $count ->
        [one] 🗑 1 message missed its time and was dropped, as you chose in /account.
       *[other] 🗑 { $count } messages missed their time and were dropped, as you chose in /account.
    }
rules-changed =
    { $count ->
        [one] 🌍 <b>The rules of time zones have changed.</b> A message keeps the wall time you said, and so goes at another moment:
       *[other] 🌍 <b>The rules of time zones have changed.</b> { $count } messages keep the wall times you said, and so go at other moments:
    }
rules-changed-row = • { $to }: would now have gone { $old }, goes <b>{ $new }</b> · { $zone }
rules-changed-more = … and { $count } more.
report-mended =
    { $count ->
        [0] 🟢 <b>{ $name }</b> is back.
        [one] 🟢 <b>{ $name }</b> is back: 1 message goes now.
       *[other] 🟢 <b>{ $name }</b> is back: { $count } messages go now.
    }
weekday-short =
    { $n ->
        [1] Mon
        [2] Tue
        [3] Wed
        [4] Thu
        [5] Fri
        [6] Sat
       *[7] Sun
    }
month-short =
    { $n ->
        [1] Jan
        [2] Feb
        [3] Mar
        [4] Apr
        [5] May
        [6] Jun
        [7] Jul
        [8] Aug
        [9] Sep
        [10] Oct
        [11] Nov
       *[12] Dec
    }
span-days =
    { $n ->
        [0] 0 days
        [one] 1 day
       *[other] { $n } days
    }
explain-at = { $moment } · { $zone } · in { $span }
explain-every = 🔁 { $rule }, first { $moment } · { $zone }
explain-unclear = There is more than one way to read it. Which of these?
explain-hour = On { $day }, at what time?
explain-past = Already past: { $moment } · { $zone }
explain-no-date = That date does not exist.
explain-gap = That time does not exist on that day, as clocks go forward. The nearest ones:
explain-far = Too far ahead: 5 years at most.
explain-nothing = There is no time in that text. Example: tomorrow 9am
late-policy = Late messages
late-policy-ask = Ask
late-policy-always = Always send
late-policy-never = Always drop
late-policy-line = ⏰ Late ones (over { $grace }): { $choice }
late-grace = Up to { $grace }
late-grace-usual = Up to { $grace } (default)
late-policy-title = ⏰ <b>What should happen to messages that could not go out on time?</b> Up to { $grace } late they go by themselves (choose below how late). Beyond it your choice applies; anything more than 24 h late never goes without asking.
late-policy-changed = ✅ Done.
history = History
history-title = 📜 <b>History</b> of message #{ $id }
history-none = No attempt yet.
history-earlier =
    { $count ->
        [one] … and 1 more before these.
       *[other] … and { $count } more before these.
    }
attempt-sent = handed to the server
attempt-found = found in WhatsApp's history: it was sent
attempt-arrived = you said that it arrived
attempt-absent = answer lost; not in the history, sent again
attempt-again = did not leave, tried again
attempt-held = on hold
attempt-failed = refused
attempt-unknown = answer lost
attempt-open = under way
through-former = { $name } (deleted)
through-deleted = deleted instance
why-no-active-instance = no active instance
why-disconnected = WhatsApp disconnected
why-key-refused = key refused
why-instance-missing = the server does not know the instance
why-licence = the server requires a licence
why-unusable = address or key no longer work
why-unreachable = the server did not answer
why-busy = the server asked to slow down
why-not-on-whatsapp = the number is not on WhatsApp
why-group-unknown = unknown group
why-invalid = malformed message
why-invalid-field = malformed message, field { $field }
why-channel-refused = refused by the channel (Meta)
repeat = Repeat
repetitions = Repeats ({ $count })
repetitions-plain = Repeats
skip-next = Skip the next
pause = Pause
resume-series = Resume repeat
stop-series = Stop repeat
and = and
every-days =
    { $n ->
        [1] every day
       *[other] every { $n } days
    }
every-weeks =
    { $n ->
        [1] every week
       *[other] every { $n } weeks
    }
every-months =
    { $n ->
        [1] every month
       *[other] every { $n } months
    }
every-years =
    { $n ->
        [1] every year
       *[other] every { $n } years
    }
every-hours =
    { $n ->
        [1] every hour
       *[other] every { $n } hours
    }
every-minutes =
    { $n ->
        [1] every minute
       *[other] every { $n } minutes
    }
every-workday = every weekday
every-weekend = every weekend
rule-at = at { $times }
rule-days = day { $days }
rule-last-day = last day
rule-nth =
    { $n ->
        [1] 1st { $day }
        [2] 2nd { $day }
        [3] 3rd { $day }
       *[other] { $n }th { $day }
    }{ $weekday ->
       *[other] {""}
    }
rule-last-weekday =
    { $weekday ->
       *[other] last { $day }
    }
rule-nth-workday =
    { $n ->
        [1] 1st working day
        [2] 2nd working day
        [3] 3rd working day
       *[other] { $n }th working day
    }
rule-last-workday = last working day
rule-count =
    { $n ->
        [1] once
       *[other] { $n } times
    }
rule-until = until { $day }
ask-every = 🔁 <b>Repeat when?</b> Write, for example <i>every weekday at 8</i>, <i>every 5th at 10am</i>, <i>every friday 6pm until dec 31</i>, or choose:
ask-every-hour = 🔁 { $rule }: at what time? Example: <code>9am</code>
ask-every-again = 🤔 That is not a repetition. Write, for example, <code>every monday at 9am</code>.
card-every = 🔁 <b>{ $rule }</b> · { $zone }
card-first = ⏭ <b>{ $moment }</b> · in { $span }
card-next = ⏭ { $moment }
card-moved = ↪️ Clocks go forward that day: the time does not exist, and the message leaves right after.
card-of-series = 🔁 Part of a repeat
see-series = See repeat
series-title = 🔁 <b>Repeats</b>
series-none = None yet. Schedule with <i>every weekday at 8</i>, or use <b>Repeat</b> on a message.
series-active = Repeat
series-paused = Repeat paused
series-stopped = Repeat stopped
series-over = Repeat finished
series-through-none = ⚪ No active instance: the messages wait until there is one.
series-skipped = ⏭ Skipped: { $moment }
series-many =
    { $count ->
        [1] 1 repeat created
       *[other] { $count } repeats created
    }
series-pin-ask = 📌 Through which instance should repeat #{ $id } go?
reason-series-changed = The repeat was paused, changed or stopped.
series-last-goes = 📤 A message of this repetition is being sent already and cannot be held back. After it, nothing more goes.
toast-series-stopped = The repeat has already been stopped.
digest-running = 📤 <b>Sending: { $done } of { $all }</b>
digest-done =
    { $count ->
        [one] ✅ <b>1 message sent</b>
       *[other] ✅ <b>{ $count } messages sent</b>
    }
digest-failed =
    { $count ->
        [one] ⚠️ 1 failed
       *[other] ⚠️ { $count } failed
    }
digest-more = … and { $count } more
digest-late = { $span } late
