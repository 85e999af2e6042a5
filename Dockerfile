# One image for silos, gateways and the command line. docker-compose.yml shows it at work.
FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /source
COPY .editorconfig Directory.Build.props Directory.Packages.props ./
COPY sql sql
COPY src src
RUN dotnet publish src/Silo -c Release -o /app

FROM mcr.microsoft.com/dotnet/aspnet:10.0
COPY --from=build /app /app
ENV PERSONA__URL=http://0.0.0.0:8000
EXPOSE 8000
USER $APP_UID
ENTRYPOINT ["dotnet", "/app/personactors.dll"]
CMD ["serve"]
