"""The page kit: what every page that an inhabitant, an agent or a manager sees is made of.

Server-rendered, usable without JavaScript, French first. Services bring their own templates and messages;
the kit brings the frame, the fields, the colours of the authority, the errors and the safe headers.
"""
