# Every word a person reads in the chat. Keys are grouped by screen; values are escaped by the caller.

account = Conta
activate = Ativar
back = Voltar
cancel = Cancelar
cancel-message = Cancelar envio
change-recipient = Mudar destinatário
change-text = Mudar texto
change-time = Mudar horário
choose = Escolher
confirm = Confirmar
copy = Copiar
create-account = Criar conta
delete = Excluir
drop = Descartar
duplicate = Duplicar
edit = Editar
create-on-server = Criar uma nova no servidor
delete-on-server = Excluir também no servidor
keep-on = Manter essas em { $name }
edit-field = Editar um campo
finished = Terminei
have-account = Já tenho conta
help = Ajuda
home = Início
instances = Instâncias
invite = Convidar
it-arrived = Já chegou
language = Idioma
linked-chats = Chats ligados
messages = Mensagens
new-instance = Nova instância
open-private = Abrir conversa privada
password = Senha
pin-instance = Fixar instância
region = Região
resume = Retomar
save = Salvar
save-activate = Salvar e ativar
save-anyway = Salvar assim mesmo
schedule-message = Agendar mensagem
send-again = Enviar de novo
send-all = Enviar todas
send-now = Enviar agora
test = Testar
test-again = Testar de novo
time-zone = Fuso horário
tomorrow-same-time = Amanhã, mesmo horário
undo = Desfazer
unpin = Soltar (usar a ativa)
unlink = Desligar { $name }
delete-move = Passar para a ativa
delete-cancel = Cancelar as mensagens
delete-hold = Deixar as mensagens em espera
show-waiting = Esperando ({ $count })
show-past = Anteriores ({ $count })
field-label = Nome
field-url = Endereço
field-key = Chave de API
field-name = Nome no servidor
command-home = Início
command-schedule = Agendar uma mensagem
command-messages = Mensagens esperando e anteriores
command-instances = Seus números de WhatsApp
command-account = Conta, idioma e fuso horário
command-invite = Convidar alguém
command-help = Como usar
command-cancel = Sair do que está em andamento
welcome = 👋 Olá! Eu sou o <b>ScheduleZAP</b>: cuido dos seus números de WhatsApp e envio suas mensagens na hora que você disser.
welcome-claim = 🔐 Este link é o do primeiro administrador. Crie a sua conta para assumir este servidor.
welcome-invited = 💌 Você foi convidado. Crie a sua conta para começar.
welcome-invite-only = Para criar uma conta aqui é preciso um convite.
ask-username =
    👤 Escolha um nome de usuário: de 3 a 32 letras, números, <code>_</code>, <code>.</code> ou <code>-</code>.
    Exemplo: <code>ana.silva</code>
ask-password = 🔑 Agora uma senha para <b>{ $name }</b>: de 8 a 128 caracteres, difícil de adivinhar. Eu apago a sua mensagem logo em seguida.
ask-login-name = 👤 Qual é o seu nome de usuário?
ask-login-password = 🔑 E a senha? Eu apago a sua mensagem logo em seguida.
account-created = 🎉 Conta <b>{ $name }</b> criada. Agora adicione o seu primeiro número em <b>Instâncias</b>.
delete-yourself = ⚠️ Não consegui apagar a sua mensagem. Apague-a você, por segurança.
in-group = Por segurança eu só trabalho em conversa privada.
secret-in-group = 🔐 Senhas e chaves nunca em grupo: não usei o que foi escrito aqui. Continue na conversa privada e, se era mesmo uma senha, troque-a.
send-as-text = Envie isso como texto, por favor.
home-title = 🏠 <b>ScheduleZAP</b> · { $name }
home-active = { $dot } Instância ativa: <b>{ $name }</b>
home-no-active = ⚪ Nenhuma instância ativa: adicione ou ative uma em <b>Instâncias</b>.
home-waiting =
    { $count ->
        [0] 📭 Nenhuma mensagem esperando
        [one] 📨 1 mensagem esperando
       *[other] 📨 { $count } mensagens esperando
    }
help-text =
    ❓ <b>Como usar</b>

    Eu envio mensagens de WhatsApp pelo seu próprio número, na hora que você disser, e conto aqui o que aconteceu com elas.

    <b>1. Adicione um número:</b> /instancias → <b>Nova instância</b>. Peço um nome, o endereço do seu servidor Evolution API, a chave e o nome da instância, e testo tudo na hora.
    <b>2. Agende:</b> /agendar pergunta para quem, o quê e quando. Ou escreva tudo em uma linha:
    <code>amanhã 9h para 11 98888-7777: Bom dia!</code>
    <b>3. Confirme:</b> antes de agendar eu mostro o dia e a hora como entendi. Depois ainda dá para desfazer.

    <b>Quando:</b> <i>hoje 18h</i>, <i>sexta 10h30</i>, <i>em 2 horas</i>, <i>15/04 às 9h</i>, <i>toda segunda às 8h</i>.
    <b>Para mudar:</b> responda ao cartão da mensagem com outro horário (<i>amanhã 10h</i>), ou com <i>cancela</i>.
    <b>Se algo falhar</b> (WhatsApp desconectado, servidor fora do ar), a mensagem espera e eu digo o que fazer.

    /mensagens – o que espera e o que já saiu
    /instancias – os seus números
    /conta – idioma, fuso horário, senha
    /cancelar – sair do que está em andamento

    Em qualquer pergunta, /ajuda explica aquele passo.
help-stranger = ❓ Eu envio mensagens de WhatsApp na hora que você disser, pelos seus próprios números (em um servidor Evolution API). Para começar, crie uma conta ou entre na sua: /start
help-leave = ↩️ Para sair: /cancelar. O que você já disse fica como está até lá.
help-username = ❓ O nome de usuário identifica a sua conta neste servidor: com ele e a senha você entra também de outro Telegram. De 3 a 32 letras sem acento, números, <code>_</code>, <code>.</code> ou <code>-</code>. Exemplo: <code>ana.silva</code>
help-new-password = ❓ A senha protege a sua conta; guardo só um resumo dela, que não se lê de volta. De 8 a 128 caracteres. Bom exemplo: quatro palavras que só você junta, como <code>girafa lenta vende sinos</code> (não use esta). Eu apago a sua mensagem logo em seguida.
help-login-name = ❓ Escreva o nome de usuário da conta que você já tem aqui. Exemplo: <code>ana.silva</code>. Se ainda não tem conta, saia e toque em <b>Criar conta</b>.
help-login-password = ❓ Escreva a senha dessa conta, exatamente como a criou: maiúsculas e espaços contam. Exemplo do que se escreve: <code>quatro palavras só suas</code>. Eu apago a sua mensagem logo em seguida. Depois de erros seguidos é preciso esperar um pouco.
help-label = ❓ Este nome é só seu: aparece nas listas e nos cartões e pode ser mudado depois. Exemplo: <code>Loja</code>
help-url = ❓ É o endereço em que o seu servidor Evolution API responde, com http:// ou https:// e sem senha nele. Costuma ser o mesmo do painel, sem <code>/manager</code>. Exemplo: <code>https://evolution.example.com</code>
help-key = ❓ É a <code>apikey</code> do Evolution API: a da instância (no painel, ao lado do nome dela) ou a chave-mestra do servidor (<code>AUTHENTICATION_API_KEY</code>). Exemplo de como ela é: <code>B6D711FC-DE4D-4FD5-9365-44120E713976</code>. Eu apago a sua mensagem logo em seguida e guardo a chave cifrada.
help-name = ❓ É o nome que a instância tem no servidor, com maiúsculas e minúsculas iguais às do painel. Se há botões com nomes, basta tocar em um. Exemplo: <code>loja</code>
help-new-name = ❓ Com este nome a nova instância é criada no servidor: letras sem acento, números, <code>_</code> ou <code>-</code>. Exemplo: <code>loja</code>
help-summary = ❓ Testei o que você escreveu: cada linha diz o que achei, e a primeira que falha diz o que fazer. <b>Salvar</b> guarda a instância, <b>Editar um campo</b> corrige. Aqui se usam os botões; por exemplo, <b>Testar de novo</b> depois de ligar o servidor.
help-to = ❓ Escreva para quem vai a mensagem: um número com DDD, ou com + e o código do país; vários, separados por vírgula ou linha; ou compartilhe um contato. Exemplo: <code>11 98888-7777</code>
help-body = ❓ O próximo texto que você escrever é a mensagem, tal como chega ao WhatsApp; negrito, itálico, riscado e mono continuam. Um texto que começa com / é lido como comando. Exemplo: <code>Bom dia! O pedido chegou.</code>
help-more = ❓ O Telegram corta textos longos em partes. Cole a parte seguinte, ou toque em <b>Terminei</b> se já está tudo. Exemplo: um texto de 6.000 caracteres são duas mensagens, e depois <b>Terminei</b>.
help-when = ❓ Escreva o dia e a hora, do seu jeito, ou uma repetição; vale o fuso da sua conta. Antes de agendar eu mostro como entendi. Exemplo: <code>amanhã 9h</code>
help-hour = ❓ O dia já está dito: falta só a hora. Exemplo: <code>18h30</code>
help-every = ❓ Diga em que dias se repete e a que hora; pode ter um fim. Exemplo: <code>toda segunda às 9h até 31/12</code>
help-every-hour = ❓ A repetição já está dita: falta só a hora. Exemplo: <code>8h30</code>
help-confirm = ❓ É assim que a mensagem sai. <b>Confirmar</b> agenda; os outros botões mudam uma parte. Escrever outro horário também o muda. Exemplo: <code>amanhã 10h</code>
help-zone = ❓ Pelo fuso horário eu entendo o que você diz de horas. Escreva uma cidade grande próxima, ou o nome do fuso. Exemplo: <code>Recife</code>
help-region = ❓ Pela região eu leio números escritos sem código de país. Escreva o nome do país ou a sigla. Exemplo: <code>BR</code>
help-old-password = ❓ Primeiro a senha de agora, para que ninguém mais a troque; depois a nova. Escreva-a exatamente como a criou. Exemplo do que se escreve: <code>quatro palavras só suas</code>. Eu apago a sua mensagem logo em seguida.
needs-account = Para isso é preciso entrar em uma conta primeiro.
cancelled-message = ✖️ Cancelado. O rascunho foi descartado e nada foi agendado.
cancelled-change = ✖️ Cancelado. Nada mudou: tudo fica como estava.
cancelled-instance = ✖️ Cancelado. A instância não foi salva aqui.
cancelled-created = ✖️ Cancelado. A instância não foi salva aqui, mas <b>{ $name }</b> já foi criada no servidor e continua lá.
cancelled-sign-up = ✖️ Cancelado. Nenhuma conta foi criada.
cancelled-log-in = ✖️ Cancelado. Você não entrou em nenhuma conta.
store-fails = ⚠️ Não consigo gravar nada agora: o disco está cheio ou o banco de dados está fora do ar. Nada é enviado enquanto isso e nada se perde: o que você disse espera e eu respondo assim que voltar.
store-works = 🟢 Voltei a gravar. O que esperava segue agora.
apology = 😔 Algo deu errado do meu lado. Nada se perdeu: tente de novo, ou /menu.
unknown-command = Não conheço esse comando. Veja /ajuda, ou /cancelar para sair.
not-understood =
    Não entendi. Para agendar, escreva por exemplo:
    <code>amanhã 9h para 11 98888-7777: Bom dia!</code>
draft-dropped = 🗑 O rascunho que estava aberto foi descartado.
nothing-to-cancel = Não há nada para cancelar.
use-the-keys = Use os botões acima, ou /cancelar para sair.
account-title = 👤 <b>{ $name }</b> · { $role }
role-admin = administrador
role-user = usuário
account-language = 🌐 Idioma: { $language }
account-zone = 🕐 Fuso horário: { $zone } — agora { $now }
account-region = 📞 Região dos números nacionais: { $region }
account-chats = 💬 Chats ligados: { $count }
choose-language = 🌐 Escolha o idioma:
language-changed = ✅ Idioma: Português.
ask-zone = 🕐 Qual é a sua cidade ou fuso horário? Escreva (exemplo: <code>Recife</code>) ou escolha:
starts-with = 🕐 Entendo as horas pelo fuso de { $zone }, agora { $now }, e leio números sem código de país como { $region }. Dá para mudar em <b>Conta</b>.
other-zone = Estou em outro fuso
ask-first-zone = 🕐 <b>Onde você está?</b> Pelo seu fuso horário eu entendo <i>amanhã 9h</i>, e pelo país os números sem código. Escreva a sua cidade (exemplo: <code>Recife</code>) ou escolha:
keep-zone = Ficar com { $zone }
zone-changed = ✅ Fuso horário alterado.
zone-not-found = Não encontrei “{ $said }”. Escreva uma cidade grande próxima, por exemplo <code>São Paulo</code>.
ask-region = 📞 De que país são os seus números nacionais? Escreva o nome ou a sigla, por exemplo <code>BR</code>.
region-changed = ✅ Região: { $region }.
region-not-found = Não conheço esse país. Escreva a sigla, por exemplo <code>BR</code>.
ask-old-password = 🔑 Qual é a senha atual? Eu apago a sua mensagem logo em seguida.
ask-new-password = 🔑 E a nova senha? De 8 a 128 caracteres.
password-changed = ✅ Senha alterada. Os outros chats foram desligados.
must-change-password = 🔐 Esta conta precisa de uma senha nova antes de qualquer outra coisa.
must-change-password-toast = Antes escolha uma senha nova.
chats-title = 💬 <b>Chats ligados a esta conta</b>
unlink-ask = Desligar <b>{ $name }</b> desta conta? Mensagens e instâncias ficam.
unlinked = ✅ Chat desligado.
unlinked-here = ✅ Este chat foi desligado da conta. Para voltar: /start
invite-link =
    💌 Convite para uma pessoa, vale 7 dias:
    { $link }
invite-not-you = Só administradores convidam. Peça um convite a quem administra este servidor.
password-too-short = Senha curta demais: use pelo menos 8 caracteres, por exemplo quatro palavras que só você junta.
password-too-long = Senha longa demais: no máximo 128 caracteres, por exemplo quatro palavras que só você junta.
password-weak = Essa senha é fácil de adivinhar. Use, por exemplo, quatro palavras que só você junta.
password-blank = A senha não pode começar ou terminar com espaço, nem ter mais de uma linha.
password-same = A senha não pode ser o nome de usuário.
password-unchanged = A nova senha não pode ser a de agora.
username-length = O nome de usuário tem de 3 a 32 caracteres. Exemplo: <code>ana.silva</code>
username-characters = Use só letras sem acento, números, <code>_</code>, <code>.</code> ou <code>-</code>. Exemplo: <code>ana.silva</code>
refusal-username-taken = Esse nome de usuário já existe. Escolha outro.
refusal-wrong-password = Usuário ou senha incorretos.
old-password-wrong = Essa não é a senha atual.
refusal-throttled = Tentativas demais. Tente de novo em { $span }.
refusal-busy = Estou ocupado agora. Tente de novo em alguns segundos.
refusal-code-invalid = Esse link já foi usado ou venceu. Peça outro a quem administra este servidor.
refusal-signup-closed = Este servidor não aceita contas novas.
refusal-needs-invite = Para criar uma conta aqui é preciso um convite. Peça o link a quem administra este servidor e abra-o.
refusal-disabled = Esta conta está suspensa. Fale com quem administra este servidor.
refusal-too-many-chats = Esta conta já tem chats demais. Desligue um em /conta.
refusal-already-exists = Já existe: <b>{ $name }</b> é essa mesma instância, no mesmo servidor.
refusal-too-many = Chegou ao limite de { $limit }. Apague algo antes.
refusal-changed = Isso mudou enquanto isso. Veja de novo em /mensagens.
refusal-being-sent = A mensagem está sendo enviada agora.
refusal-already-sent = A mensagem já foi enviada.
refusal-not-found = Não encontrei isso. Veja /menu.
toast-expired = Botão expirado. Use /menu.
toast-nothing-to-confirm = Não há mais nada a confirmar. Veja /mensagens.
toast-changed = Isso mudou nesse meio-tempo.
toast-being-sent = Está sendo enviada agora.
toast-already-sent = Já foi enviada.
toast-already-cancelled = Já cancelada.
toast-nothing-late = Não há mais nada atrasado.
instances-title = 📱 <b>Instâncias</b>
instances-none = Nenhuma ainda. Uma instância é um número de WhatsApp no seu servidor Evolution API.
instances-count =
    { $count ->
        [0] Nenhuma
        [one] 1 número
       *[other] { $count } números
    }
ask-label = 🏷 Como quer chamar esta instância? Exemplo: <code>Loja</code>
ask-url = 🌐 Qual é o endereço do servidor Evolution API? Exemplo: <code>https://evolution.example.com</code>
ask-key = 🔑 Qual é a chave de API (<code>apikey</code>)? Eu apago a sua mensagem logo em seguida e guardo a chave cifrada.
ask-name = 📛 Qual é o nome da instância no servidor? Exemplo: <code>loja</code>
names-found = 📛 Encontrei estas no servidor. Escolha uma ou escreva o nome:
names-none = 📛 O servidor ainda não tem instâncias. Crie uma nova, ou escreva o nome de uma que exista.
ask-new-name = ➕ Que nome a nova instância terá no servidor? Letras sem acento, números, <code>_</code> ou <code>-</code>. Exemplo: <code>loja</code>
name-not-creatable = Esse nome não serve para uma instância nova: de 1 a 64 letras sem acento, números, <code>_</code> ou <code>-</code>, começando por letra ou número. Exemplo: <code>loja-2</code>
creating = ➕ Criando <b>{ $name }</b> no servidor…
create-taken = O servidor já tem uma instância <b>{ $name }</b>. Escolha outro nome.
create-refused = Essa chave não pode criar instâncias: para isso é preciso a chave-mestra do servidor.
create-busy = Uma instância com esse nome está sendo criada agora. Tente de novo em alguns segundos.
create-failed = O servidor não criou a instância. Confira se ele está bem e tente de novo.
own-key-kept = 🔐 Criada por mim: guardo a chave própria desta instância, não a chave-mestra.
label-invalid = O nome tem de 1 a 64 caracteres visíveis. Exemplo: <code>Loja</code>
key-invalid = Chave inválida: cole só a chave, sem espaços nem acentos. Exemplo: <code>B6D711FCDE4D4FD5936544120E713976</code>
name-invalid = Esse nome não serve. Escreva o nome como está no servidor, por exemplo <code>loja</code>.
url-missing-scheme = Isso não é um endereço: falta http:// ou https:// no começo. Exemplo: <code>https://evolution.example.com</code>
url-not-a-url = Isso não é um endereço. Exemplo: <code>https://evolution.example.com</code>
url-scheme = Só http ou https servem aqui. Exemplo: <code>https://evolution.example.com</code>
url-credentials = O endereço não pode ter usuário e senha. Exemplo: <code>https://evolution.example.com</code>
url-query = Escreva só o endereço do servidor, sem <code>?</code> nem <code>#</code>. Exemplo: <code>https://evolution.example.com</code>
url-port = Essa porta não é permitida: use 80, 443 ou 1024 em diante. Exemplo: <code>http://evolution.example.com:8080</code>
url-not-allowed = Endereço não permitido por este servidor. Use o endereço público da sua Evolution API, por exemplo <code>https://evolution.example.com</code>
testing = 🩺 Testando <b>{ $name }</b>…
tested-title = 🩺 <b>Teste de { $name }</b>
summary-title = 📱 <b>{ $name }</b>
save-warning = ⚠️ O teste não passou. Você pode salvar assim mesmo: as mensagens esperam até que tudo esteja certo.
instance-saved = 💾 <b>{ $name }</b> salva.
instance-deleted = 🗑 <b>{ $name }</b> excluída.
no-active-now = ⚠️ Agora nenhuma instância está ativa. Ative uma para que as mensagens saiam.
instance-is-active = As mensagens saem por ela.
instance-state = { $dot } { $state } ({ $checked })
instance-number = 📞 { $number } { $profile }
instance-url = 🌐 <code>{ $url }</code>
instance-name = 📛 <code>{ $name }</code>
instance-key = 🔑 { $key }
instance-waiting =
    { $count ->
        [0] 📭 Nada esperando por ela
        [one] 📨 1 mensagem esperando por ela
       *[other] 📨 { $count } mensagens esperando por ela
    }
instance-last-sent = 📤 Último envio: { $moment }
never-checked = ainda não testada
checked-now = vista agora
checked-ago = vista há { $span }
connection-open = conectada
connection-connecting = conectando
connection-close = desconectada
connection-unreachable = servidor fora do ar
connection-refused = chave recusada
connection-missing = não existe no servidor
connection-unknown = estado desconhecido
edit-which = ✏️ O que você quer mudar em <b>{ $name }</b>?
edit-which-draft = ✏️ O que você quer mudar?
delete-ask = 🗑 Excluir <b>{ $name }</b>? Ela some daqui; no servidor nada muda.
wipe-ask = ⚠️ Excluir a instância <b>{ $name }</b> do servidor { $server }? O número é desconectado e todo o histórico que está lá se perde. Isso não tem volta.
wiping = 🗑 Excluindo <b>{ $name }</b> do servidor…
wiped = 🗑 <b>{ $name }</b> foi excluída do servidor.
not-wiped = ⚠️ O servidor não excluiu <b>{ $name }</b>. Nada mudou aqui. Teste a instância para saber por quê.
kept-on =
    { $count ->
        [0] Não havia mais nada esperando.
        [one] 📌 1 mensagem continua em <b>{ $name }</b>.
       *[other] 📌 { $count } mensagens continuam em <b>{ $name }</b>.
    }
activated = ✅ <b>{ $name }</b> agora é a ativa.
activated-waiting =
    { $count ->
        [0] —
        [one] 1 mensagem sai agora por ela.
       *[other] { $count } mensagens saem agora por ela.
    }
check-policy = endereço permitido
check-dns = nome encontrado
check-connect = servidor responde
check-tls = conexão segura
check-evolution = é uma Evolution API
check-key = chave aceita
check-instance = instância existe
check-connection = WhatsApp conectado
check-url = endereço válido
found-version = ℹ️ Evolution API { $version }
found-key-global = ℹ️ É a chave-mestra do servidor.
found-key-instance = ℹ️ É a chave desta instância.
found-number = 📞 Conectada como { $number } { $profile }
fix-url = O endereço não serve. Exemplo: <code>https://evolution.example.com</code>
fix-policy = Este servidor não permite esse endereço. Use o endereço público da Evolution API.
fix-dns = O nome do servidor não existe. Confira se está escrito certo.
fix-connect = Não há resposta nesse endereço. O servidor está ligado e a porta está certa?
fix-tls = O certificado do servidor não é válido. Renove-o, ou use http:// na rede local.
fix-evolution = Há um servidor aí, mas não é uma Evolution API. Confira o endereço e a porta.
fix-key = A chave foi recusada. Copie-a de novo do painel da Evolution API.
fix-instance = O servidor não conhece esse nome. Confira maiúsculas e minúsculas.
fix-connection = A instância existe, mas o WhatsApp não está conectado. Leia o QR code no painel da Evolution API.
ask-to = 👤 <b>Para quem?</b> Escreva um número (vários, separados por vírgula ou linha) ou compartilhe um contato. Exemplo: <code>11 98888-7777</code>
ask-to-one = 👤 <b>Para quem?</b> Escreva um número ou compartilhe um contato. Exemplo: <code>11 98888-7777</code>
ask-text = ✏️ <b>O que enviar?</b> Escreva o texto da mensagem. Exemplo: <code>Bom dia!</code>
ask-more = ✏️ { $length } caracteres até aqui. Se o texto continua, cole o resto; senão toque no botão.
ask-when = 🕐 <b>Quando?</b> Escreva, por exemplo <i>amanhã 9h</i>, <i>sexta 18:30</i>, <i>em 2 horas</i>, ou escolha:
ask-hour = 🕐 Dia { $day }, a que horas? Exemplo: <code>9h</code>
when-unclear = 🤔 Qual destes horários? Escolha, ou escreva de outro jeito, por exemplo <code>amanhã 20:00</code>.
when-unclear-one = 🤔 É este horário? Toque nele, ou escreva de outro jeito, por exemplo <code>amanhã 20:00</code>.
when-past = ⏳ { $moment } já passou. Enviar em seguida, ou outro horário?
when-no-such-date = 📅 Essa data não existe. Escreva outra, por exemplo <code>28/02 10h</code>.
when-gap = 🕐 Nesse dia o relógio adianta e esse horário não existe. Escolha um próximo:
when-too-far = 📅 Longe demais: no máximo 5 anos. Escreva, por exemplo, <code>amanhã 9h</code>.
when-not-understood = 🤔 Não entendi esse horário. Escreva, por exemplo, <code>amanhã 9h</code> ou <code>15/04 18:30</code>.
text-empty = A mensagem está vazia. Escreva o texto, por exemplo <code>Bom dia!</code>
text-too-long = Longa demais: { $length } caracteres; o WhatsApp aceita 65.536. Envie um texto menor.
to-not-a-number = “{ $said }” não é um número de telefone. Exemplo: <code>11 98888-7777</code>
to-length = “{ $said }” tem { $digits } dígitos; um número tem de 8 a 15 com o código do país. Exemplo: <code>+55 11 98888-7777</code>
to-address = “{ $said }” não é uma pessoa. Escreva um número, por exemplo <code>11 98888-7777</code>
to-too-many = No máximo { $limit } destinatários por vez; aqui há { $count }.
to-one-only = Isto vai para uma pessoa só; aqui há { $count }. Diga um número só, ou agende outra mensagem para as demais.
to-in-line = Linha { $line }: { $why }
confirm-title = 📝 <b>Confira e confirme</b>
without-whatsapp =
    { $count ->
        [one] ⚠️ Pelo que o servidor sabe, { $to } não tem WhatsApp. Confira o número, ou confirme assim mesmo.
       *[other] ⚠️ Pelo que o servidor sabe, estes números não têm WhatsApp: { $to }. Confira, ou confirme assim mesmo.
    }
card-to = 👤 { $to }
card-when =
    🕐 <b>{ $moment }</b> · { $zone }
    ⏳ em { $span }
card-when-now = 🕐 <b>{ $moment }</b> · { $zone }
card-through = { $dot } por <b>{ $name }</b>
card-through-deleted = ⚪ por uma instância que foi apagada
card-through-none = ⚪ Nenhuma instância ativa: a mensagem espera até que haja uma.
card-pinned = 📌 Fixada nesta instância
card-dropped = 🗑 Cancelada: não será enviada de novo. Ainda verifico se ela saiu.
card-doubted = ❓ Ela pode já ter sido enviada: os meus dados talvez sejam de uma cópia antiga. Confira no WhatsApp antes de enviar.
card-through-gone = ⚪ A instância dela foi apagada: fixe em outra ou desafixe.
card-sent-at = 📤 { $moment }
edited = ✏️ Mudei conforme a sua edição.
edit-ended = ✏️ A edição terminou; o que você disse não mudou nada. Está assim:
edited-nothing = 🤔 Não consegui ler o novo horário dessa edição. A mensagem continua assim:
edited-not-to =
    { $count ->
        [one] 👤 O destinatário não mudou: uma mensagem vai para uma pessoa só, e esta continua para { $to }. Use <b>Mudar destinatário</b> no cartão, ou agende outra.
       *[other] 👥 Os destinatários não mudaram, pois não dá para saber qual trocar por qual. As mensagens continuam para { $to }. Use <b>Mudar destinatário</b> ou <b>Cancelar envio</b> em cada cartão; para mais alguém, agende outra.
    }
status-scheduled = Agendada
status-sending = Enviando
status-sent = Enviada
status-held = Em espera
status-late = Atrasada
status-unknown = Não sei se chegou
status-looking = Verificando se chegou
status-failed = Falhou
status-cancelled = Cancelada
reason-no-active-instance = Nenhuma instância está ativa. Ative uma em /instancias e a mensagem sai sozinha.
reason-disconnected = O WhatsApp da instância está desconectado. Conecte-o e a mensagem sai sozinha.
reason-key-refused = O servidor recusou a chave. Corrija-a em /instancias e a mensagem sai sozinha.
reason-instance-missing = O servidor não conhece mais a instância. Corrija o nome em /instancias, ou ative outra.
reason-licence = O servidor Evolution API pede uma licença. Fale com quem o administra; a mensagem sai sozinha depois.
reason-unusable = O endereço ou a chave da instância não servem mais. Edite-os em /instancias.
reason-unreachable = O servidor não responde. Continuo tentando.
reason-busy = O servidor pede menos mensagens por vez. Continuo tentando, mais devagar.
reason-not-on-whatsapp = Este número não tem WhatsApp. Mude o destinatário ou cancele.
reason-group-unknown = A instância não conhece este grupo. Mude o destinatário.
reason-invalid = O servidor recusou a mensagem como malformada. Mude o texto ou o destinatário.
reason-invalid-field = O servidor recusou a mensagem como malformada: campo <code>{ $field }</code>. Mude o texto ou o destinatário.
reason-channel-refused = O canal (Meta) recusou a mensagem. Confira a conta do WhatsApp Business.
reason-answer-lost = Pedi o envio ao servidor, mas não veio resposta clara: a mensagem pode ter saído. Veja no WhatsApp se ela chegou.
scheduled-many =
    { $count ->
        [0] Nada agendado
        [one] 1 mensagem agendada
       *[other] { $count } mensagens agendadas
    }
messages-waiting = 🗓 Esperando: { $count }
messages-past = 🗂 Anteriores: { $count }
messages-none = Nada por aqui.
pin-ask = 📌 Por qual instância a mensagem #{ $id } deve sair?
late-title =
    { $count ->
        [0] Nada atrasado
        [one] ⏰ <b>1 mensagem passou da hora</b>
       *[other] ⏰ <b>{ $count } mensagens passaram da hora</b>
    }
late-doubted =
    { $count ->
        [one] ❓ <b>1 pode já ter sido enviada</b> (marcada com ❓): os meus dados talvez sejam de uma cópia antiga. Confira no WhatsApp antes de enviar.
       *[other] ❓ <b>{ $count } podem já ter sido enviadas</b> (marcadas com ❓): os meus dados talvez sejam de uma cópia antiga. Confira no WhatsApp antes de enviar.
    }
late-row = • { $moment } → { $to }: { $text }
late-row-doubted = • ❓ { $moment } → { $to }: { $text }
late-more =
    { $count ->
        [one] … e mais 1.
       *[other] … e mais { $count }.
    }
late-sent =
    { $count ->
        [0] Nada enviado
        [one] 🚀 1 mensagem sai agora.
       *[other] 🚀 { $count } mensagens saem agora.
    }
late-tomorrow =
    { $count ->
        [0] Nada mudou
        [one] 📅 1 mensagem fica para amanhã.
       *[other] 📅 { $count } mensagens ficam para amanhã.
    }
late-dropped =
    { $count ->
        [0] Nada descartado
        [one] 🗑 1 mensagem descartada.
       *[other] 🗑 { $count } mensagens descartadas.
    }
late-see-messages = Veja tudo em Mensagens.
report-sent = ✅ Enviada para { $to } às { $time }: { $text }
report-sent-late = ✅ Enviada para { $to } com { $span } de atraso: { $text }
report-failed = ⚠️ Não consegui enviar para { $to }: { $text }
report-unknown = ❓ Não sei se a mensagem para { $to } chegou: { $text }
report-guessing = 🔐 Alguém errou a senha desta conta { $count } vezes seguidas e foi bloqueado por um tempo. Os chats já ligados continuam funcionando. Se não foi você, troque a senha e confira os chats ligados.
report-held-title = ⏸ <b>Mensagens em espera</b>
see-message = Ver mensagem
report-down = 🟠 Não consigo falar com o servidor de <b>{ $name }</b> há alguns minutos. As mensagens esperam e eu continuo tentando. Teste a instância em /instancias.
report-up =
    { $count ->
        [0] 🟢 O servidor de <b>{ $name }</b> voltou a responder.
        [one] 🟢 O servidor de <b>{ $name }</b> voltou a responder: 1 mensagem que esperava sai agora.
       *[other] 🟢 O servidor de <b>{ $name }</b> voltou a responder: { $count } mensagens que esperavam saem agora.
    }
report-clock-ahead = 🕰 O relógio deste servidor está { $span } adiantado em relação ao do Telegram. Nada é enviado até ele estar certo. Ajuste a hora da máquina (NTP); o resto segue sozinho.
report-clock-behind = 🕰 O relógio deste servidor está { $span } atrasado em relação ao do Telegram. As mensagens saem com esse atraso. Ajuste a hora da máquina (NTP).
report-clock-right = 🟢 O relógio do servidor está certo de novo.
report-dropped =
    { $count ->
        [one] 🗑 1 mensagem passou da hora e foi descartada, como você escolheu em /conta.
       *[other] 🗑 { $count } mensagens passaram da hora e foram descartadas, como você escolheu em /conta.
    }
rules-changed =
    { $count ->
        [one] 🌍 <b>As regras dos fusos horários mudaram.</b> Uma mensagem mantém a hora que você disse e por isso sai em outro momento:
       *[other] 🌍 <b>As regras dos fusos horários mudaram.</b> { $count } mensagens mantêm as horas que você disse e por isso saem em outros momentos:
    }
rules-changed-row = • { $to }: agora sairia { $old }, e sai <b>{ $new }</b> · { $zone }
rules-changed-more = … e mais { $count }.
report-mended =
    { $count ->
        [0] 🟢 <b>{ $name }</b> voltou.
        [one] 🟢 <b>{ $name }</b> voltou: 1 mensagem sai agora.
       *[other] 🟢 <b>{ $name }</b> voltou: { $count } mensagens saem agora.
    }
weekday-short =
    { $n ->
        [1] seg
        [2] ter
        [3] qua
        [4] qui
        [5] sex
        [6] sáb
       *[7] dom
    }
month-short =
    { $n ->
        [1] jan
        [2] fev
        [3] mar
        [4] abr
        [5] mai
        [6] jun
        [7] jul
        [8] ago
        [9] set
        [10] out
        [11] nov
       *[12] dez
    }
span-days =
    { $n ->
        [0] 0 dias
        [one] 1 dia
       *[other] { $n } dias
    }
explain-at = { $moment } · { $zone } · daqui a { $span }
explain-every = 🔁 { $rule }, primeira vez { $moment } · { $zone }
explain-unclear = Há mais de um jeito de entender. Qual destes?
explain-hour = Em { $day }, a que horas?
explain-past = Já passou: { $moment } · { $zone }
explain-no-date = Essa data não existe.
explain-gap = Esse horário não existe nesse dia, pois o relógio adianta. Os mais próximos:
explain-far = Longe demais: no máximo 5 anos à frente.
explain-nothing = Não há horário nesse texto. Exemplo: amanhã 9h
late-policy = Mensagens atrasadas
late-policy-ask = Perguntar
late-policy-always = Enviar sempre
late-policy-never = Descartar sempre
late-policy-line = ⏰ Atrasadas (mais de { $grace }): { $choice }
late-grace = Até { $grace }
late-grace-usual = Até { $grace } (padrão)
late-policy-title = ⏰ <b>O que fazer com o que não pôde sair na hora?</b> Com até { $grace } de atraso a mensagem sai sozinha (escolha abaixo quanto). Além disso vale a sua escolha; o que passou de 24 h nunca sai sem perguntar.
late-policy-changed = ✅ Feito.
history = Histórico
history-title = 📜 <b>Histórico</b> da mensagem #{ $id }
history-none = Ainda não houve tentativa.
history-earlier =
    { $count ->
        [one] … e mais 1 antes dessas.
       *[other] … e mais { $count } antes dessas.
    }
attempt-sent = entregue ao servidor
attempt-found = encontrada no histórico do WhatsApp: saiu
attempt-arrived = você disse que chegou
attempt-absent = resposta perdida; não estava no histórico, enviada de novo
attempt-again = não saiu, tentada de novo
attempt-held = em espera
attempt-failed = recusada
attempt-unknown = resposta perdida
attempt-open = em andamento
through-former = { $name } (apagada)
through-deleted = instância apagada
why-no-active-instance = nenhuma instância ativa
why-disconnected = WhatsApp desconectado
why-key-refused = chave recusada
why-instance-missing = o servidor não conhece a instância
why-licence = o servidor precisa de licença
why-unusable = endereço ou chave não servem mais
why-unreachable = o servidor não respondeu
why-busy = o servidor pediu menos pressa
why-not-on-whatsapp = o número não tem WhatsApp
why-group-unknown = grupo desconhecido
why-invalid = mensagem malformada
why-invalid-field = mensagem malformada, campo { $field }
why-channel-refused = recusada pelo canal (Meta)
repeat = Repetir
repetitions = Repetições ({ $count })
repetitions-plain = Repetições
skip-next = Pular a próxima
pause = Pausar
resume-series = Retomar repetição
stop-series = Parar repetição
and = e
every-days =
    { $n ->
        [1] todo dia
       *[other] a cada { $n } dias
    }
every-weeks =
    { $n ->
        [1] toda semana
       *[other] a cada { $n } semanas
    }
every-months =
    { $n ->
        [1] todo mês
       *[other] a cada { $n } meses
    }
every-years =
    { $n ->
        [1] todo ano
       *[other] a cada { $n } anos
    }
every-hours =
    { $n ->
        [1] toda hora
       *[other] a cada { $n } horas
    }
every-minutes =
    { $n ->
        [1] todo minuto
       *[other] a cada { $n } minutos
    }
every-workday = todo dia útil
every-weekend = todo fim de semana
rule-at = às { $times }
rule-days = dia { $days }
rule-last-day = último dia
rule-nth =
    { $weekday ->
        [6] { $n }º { $day }
        [7] { $n }º { $day }
       *[other] { $n }ª { $day }
    }
rule-last-weekday =
    { $weekday ->
        [6] último { $day }
        [7] último { $day }
       *[other] última { $day }
    }
rule-nth-workday = { $n }º dia útil
rule-last-workday = último dia útil
rule-count =
    { $n ->
        [1] 1 vez
       *[other] { $n } vezes
    }
rule-until = até { $day }
ask-every = 🔁 <b>Repetir quando?</b> Escreva, por exemplo <i>todo dia útil às 8</i>, <i>todo dia 5 às 10h</i>, <i>toda sexta 18h até 31/12</i>, ou escolha:
ask-every-hour = 🔁 { $rule }: a que horas? Exemplo: <code>9h</code>
ask-every-again = 🤔 Isso não é uma repetição. Escreva, por exemplo, <code>toda segunda às 9h</code>.
card-every = 🔁 <b>{ $rule }</b> · { $zone }
card-first = ⏭ <b>{ $moment }</b> · em { $span }
card-next = ⏭ { $moment }
card-moved = ↪️ Nesse dia o relógio adianta: o horário não existe, e a mensagem sai logo depois.
card-of-series = 🔁 Parte de uma repetição
see-series = Ver repetição
series-title = 🔁 <b>Repetições</b>
series-none = Nenhuma ainda. Agende com <i>todo dia útil às 8</i>, ou use <b>Repetir</b> em uma mensagem.
series-active = Repetição
series-paused = Repetição pausada
series-stopped = Repetição parada
series-over = Repetição terminada
series-through-none = ⚪ Nenhuma instância ativa: as mensagens esperam até que haja uma.
series-skipped = ⏭ Pulada: { $moment }
series-many =
    { $count ->
        [1] 1 repetição criada
       *[other] { $count } repetições criadas
    }
series-pin-ask = 📌 Por qual instância a repetição #{ $id } deve sair?
reason-series-changed = A repetição foi pausada, mudada ou parada.
series-last-goes = 📤 Uma mensagem desta repetição já está sendo enviada e não dá mais para segurá-la. Depois dela, nada mais sai.
toast-series-stopped = A repetição já foi parada.
digest-running = 📤 <b>Enviando: { $done } de { $all }</b>
digest-done =
    { $count ->
        [one] ✅ <b>1 mensagem enviada</b>
       *[other] ✅ <b>{ $count } mensagens enviadas</b>
    }
digest-failed =
    { $count ->
        [one] ⚠️ 1 falhou
       *[other] ⚠️ { $count } falharam
    }
digest-more = … e mais { $count }
digest-late = { $span } de atraso
